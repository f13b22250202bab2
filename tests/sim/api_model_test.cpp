#include "tests/sim/api_model.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

const kube::Resource things{"toys.example.org", "v1", "things"};
const kube::Resource pods{"", "v1", "pods"};

class Model : public testing::Test {
 protected:
  Model() {
    api.serve({.resource = things,
               .kind = "Thing",
               .status_subresource = true,
               .selectable = {"spec.box"},
               .rules = {[](const Json& before, const Json& after) -> std::string {
                 const bool ended = before.value("/status/phase"_json_pointer, "") == "Ended";
                 return ended && after.value("/status/phase"_json_pointer, "") != "Ended" ? "it has ended" : "";
               }}});
    api.serve(
        {.resource = pods, .kind = "Pod", .status_subresource = true, .selectable = {"status.phase"}, .rules = {}});
    api.set_time(kube::WallTime{seconds{1'700'000'000} + std::chrono::milliseconds{700}});
  }

  static Json thing(const std::string& name, const Json& spec = {{"box", "a"}}) {
    return {{"apiVersion", "toys.example.org/v1"}, {"kind", "Thing"}, {"metadata", {{"name", name}}}, {"spec", spec}};
  }
  kube::Response create(const std::string& name, const Json& spec = {{"box", "a"}}) {
    return api.handle(kube::create(things, "ns", thing(name, spec)));
  }
  kube::Response patch(const std::string& name, const Json& body, std::string_view subresource = {}) {
    return api.handle(kube::merge_patch(things, {"ns", name}, body, subresource));
  }
  static Json body(const kube::Response& response) { return Json::parse(response.body); }
  static std::string revision(const kube::Response& response) { return body(response)["metadata"]["resourceVersion"]; }

  ApiModel api;
};

TEST_F(Model, gives_a_new_object_its_metadata_and_drops_its_status) {
  Json object = thing("a");
  object["status"] = {{"phase", "Ready"}};
  const kube::Response response = api.handle(kube::create(things, "ns", object));
  EXPECT_EQ(response.status, 201);
  const Json made = body(response);
  EXPECT_EQ(made["metadata"]["namespace"], "ns");
  EXPECT_EQ(made["metadata"]["creationTimestamp"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(made["metadata"]["generation"], 1);
  EXPECT_FALSE(made["metadata"]["uid"].get<std::string>().empty());
  EXPECT_FALSE(made.contains("status"));
  EXPECT_EQ(response.date, "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST_F(Model, refuses_a_second_object_of_the_same_name) {
  create("a");
  const kube::Response again = create("a");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(body(again)["reason"], "AlreadyExists");
  EXPECT_EQ(body(again)["message"], "things.toys.example.org \"a\" already exists");
}

TEST_F(Model, tells_a_missing_object_from_a_missing_resource) {
  const kube::Response missing = api.handle(kube::get(things, {"ns", "a"}));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(body(missing)["details"]["name"], "a");
  EXPECT_EQ(kube::classify(missing, "get it").error().code, Errc::not_found);
  const kube::Response not_served = api.handle(kube::get({"toys.example.org", "v1", "others"}, {"ns", "a"}));
  EXPECT_EQ(not_served.status, 404);
  EXPECT_EQ(kube::classify(not_served, "get it").error().code, Errc::not_installed);
}

TEST_F(Model, compares_the_resource_version_of_a_patch) {
  const std::string first = revision(create("a"));
  EXPECT_EQ(patch("a", {{"metadata", {{"resourceVersion", first}}}, {"spec", {{"box", "b"}}}}).status, 200);
  const kube::Response late = patch("a", {{"metadata", {{"resourceVersion", first}}}, {"spec", {{"box", "c"}}}});
  EXPECT_EQ(late.status, 409);
  EXPECT_EQ(body(late)["reason"], "Conflict");
  EXPECT_NE(body(late)["message"].get<std::string>().find("the object has been modified"), std::string::npos);
}

TEST_F(Model, refuses_a_patch_that_names_another_uid_unless_it_is_of_the_status) {
  create("a");
  EXPECT_EQ(patch("a", {{"metadata", {{"uid", "other"}}}, {"status", {{"phase", "Ready"}}}}, "status").status, 200);
  const kube::Response response = patch("a", {{"metadata", {{"uid", "other"}}}, {"spec", {{"box", "b"}}}});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(body(response)["reason"], "Invalid");
}

TEST_F(Model, keeps_the_two_halves_of_an_object_apart) {
  create("a");
  const Json both{{"spec", {{"box", "b"}}}, {"status", {{"phase", "Ready"}}}};
  const Json by_main = body(patch("a", both));
  EXPECT_EQ(by_main["spec"]["box"], "b");
  EXPECT_FALSE(by_main.contains("status"));
  EXPECT_EQ(by_main["metadata"]["generation"], 2);
  const Json by_status = body(patch("a", {{"spec", {{"box", "c"}}}, {"status", {{"phase", "Ready"}}}}, "status"));
  EXPECT_EQ(by_status["spec"]["box"], "b");
  EXPECT_EQ(by_status["status"]["phase"], "Ready");
  EXPECT_EQ(by_status["metadata"]["generation"], 2);
}

TEST_F(Model, leaves_the_revision_when_a_patch_changes_nothing) {
  const std::string first = revision(create("a"));
  EXPECT_EQ(revision(patch("a", {{"spec", {{"box", "a"}}}})), first);
  const Json ready{{"status", {{"phase", "Ready"}}}};
  const std::string second = revision(patch("a", ready, "status"));
  EXPECT_NE(second, first);
  EXPECT_EQ(revision(patch("a", ready, "status")), second);
}

TEST_F(Model, holds_updates_to_the_rules) {
  create("a");
  patch("a", {{"status", {{"phase", "Ended"}}}}, "status");
  EXPECT_EQ(patch("a", {{"status", {{"phase", "Ready"}}}}, "status").status, 422);
  EXPECT_EQ(patch("a", {{"status", nullptr}}, "status").status, 422);
  EXPECT_EQ(patch("a", {{"spec", {{"box", "b"}}}}).status, 200);
}

TEST_F(Model, deletes_only_what_the_preconditions_name) {
  const Json made = body(create("a"));
  const kube::Response wrong_uid =
      api.handle(kube::delete_object(things, {"ns", "a"}, {.uid = "x", .resource_version = ""}));
  EXPECT_EQ(wrong_uid.status, 409);
  const kube::Response old = api.handle(kube::delete_object(things, {"ns", "a"}, {.uid = "", .resource_version = "1"}));
  EXPECT_EQ(old.status, 409);
  const std::string uid = made["metadata"]["uid"];
  EXPECT_EQ(api.handle(kube::delete_object(things, {"ns", "a"}, {.uid = uid, .resource_version = ""})).status, 200);
  EXPECT_EQ(api.handle(kube::delete_object(things, {"ns", "a"}, {})).status, 404);
}

TEST_F(Model, pages_through_one_snapshot) {
  for (const char* name : {"a", "b", "c", "d", "e"}) create(name);
  const Json first = body(api.handle(kube::list(
      things, "ns",
      {.field_selector = "", .label_selector = "", .limit = 2, .continue_token = "", .resource_version = ""})));
  EXPECT_EQ(first["items"].size(), 2U);
  EXPECT_EQ(first["metadata"]["remainingItemCount"], 3);
  create("f");
  std::string token = first["metadata"]["continue"];
  std::vector<std::string> names;
  while (!token.empty()) {
    const Json page = body(api.handle(kube::list(
        things, "ns",
        {.field_selector = "", .label_selector = "", .limit = 2, .continue_token = token, .resource_version = ""})));
    EXPECT_EQ(page["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    for (const Json& item : page["items"]) names.push_back(item["metadata"]["name"]);
    token = page["metadata"].value("continue", "");
  }
  EXPECT_EQ(names, (std::vector<std::string>{"c", "d", "e"}));
}

TEST_F(Model, says_410_for_a_page_and_a_watch_before_compaction) {
  for (const char* name : {"a", "b"}) create(name);
  const Json page = body(api.handle(kube::list(
      things, "ns",
      {.field_selector = "", .label_selector = "", .limit = 1, .continue_token = "", .resource_version = ""})));
  WatchCursor cursor;
  api.open_watch(kube::watch(things, "ns", {.field_selector = "", .label_selector = "", .resource_version = "100"}),
                 cursor);
  api.compact(api.revision());
  const kube::Response next = api.handle(kube::list(things, "ns",
                                                    {.field_selector = "",
                                                     .label_selector = "",
                                                     .limit = 1,
                                                     .continue_token = page["metadata"]["continue"],
                                                     .resource_version = ""}));
  EXPECT_EQ(next.status, 410);
  bool ended = false;
  const Json event = Json::parse(api.read_watch(cursor, false, ended));
  EXPECT_EQ(event["type"], "ERROR");
  EXPECT_EQ(event["object"]["code"], 410);
  EXPECT_TRUE(ended);
}

TEST_F(Model, selects_by_declared_fields_only) {
  create("a", {{"box", "x"}});
  create("b", {{"box", "y"}});
  const auto selected = [&](const std::string& selector) {
    return api.handle(kube::list(
        things, "",
        {.field_selector = selector, .label_selector = "", .limit = 0, .continue_token = "", .resource_version = ""}));
  };
  EXPECT_EQ(body(selected("spec.box=y"))["items"].at(0)["metadata"]["name"], "b");
  EXPECT_EQ(body(selected("metadata.name!=b"))["items"].size(), 1U);
  EXPECT_EQ(selected("spec.other=y").status, 400);
}

std::vector<std::string> types_of(const std::string& lines) {
  std::vector<std::string> types;
  std::size_t begin = 0;
  for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n', begin)) {
    types.push_back(Json::parse(lines.substr(begin, end - begin))["type"]);
    begin = end + 1;
  }
  return types;
}

TEST_F(Model, shows_an_object_that_stops_matching_as_deleted) {
  const Json pod{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "p"}}}};
  const std::string before = std::to_string(api.revision());
  api.handle(kube::create(pods, "ns", pod));
  api.handle(kube::merge_patch(pods, {"ns", "p"}, {{"status", {{"phase", "Running"}}}}, "status"));
  api.handle(kube::merge_patch(pods, {"ns", "p"}, {{"status", {{"phase", "Succeeded"}}}}, "status"));
  WatchCursor cursor;
  const kube::Request request = kube::watch(
      pods, "",
      {.field_selector = "status.phase!=Succeeded", .label_selector = "", .resource_version = before, .timeout_s = 30});
  ASSERT_EQ(api.open_watch(request, cursor).status, 200);
  bool ended = true;
  EXPECT_EQ(types_of(api.read_watch(cursor, true, ended)),
            (std::vector<std::string>{"ADDED", "MODIFIED", "DELETED", "BOOKMARK"}));
  EXPECT_FALSE(ended);
  api.set_time(kube::WallTime{seconds{1'700'000'031}});
  EXPECT_TRUE(api.read_watch(cursor, false, ended).empty());
  EXPECT_TRUE(ended);
}

TEST_F(Model, collects_what_has_lost_all_its_owners) {
  const std::string uid = body(create("owner"))["metadata"]["uid"];
  Json owned = thing("owned");
  owned["metadata"]["ownerReferences"] = {{{"uid", uid}}};
  api.handle(kube::create(things, "ns", owned));
  EXPECT_EQ(api.collect_garbage(), 0);
  api.handle(kube::delete_object(things, {"ns", "owner"}, {}));
  EXPECT_EQ(api.collect_garbage(), 1);
  EXPECT_EQ(api.find(things, {"ns", "owned"}), nullptr);
}

TEST_F(Model, reports_each_write_once_and_in_order) {
  std::vector<std::uint64_t> revisions;
  api.observe([&](const Commit& commit) { revisions.push_back(commit.revision); });
  create("a");
  create("a");
  patch("a", {{"spec", {{"box", "b"}}}});
  patch("a", {{"spec", {{"box", "b"}}}});
  api.handle(kube::delete_object(things, {"ns", "a"}, {}));
  EXPECT_EQ(revisions, (std::vector<std::uint64_t>{101, 102, 103}));
}

}  // namespace
}  // namespace konductor::sim
