#include "kube/request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace konductor::kube {
namespace {

using nlohmann::json;

const Resource widgets{"example.com", "v1", "widgets"};
const NamespacedName x{"team-a", "x"};
const std::string base = "/apis/example.com/v1/namespaces/team-a/widgets";

TEST(Request, gets_one_object) {
  const Request request = get(widgets, x);
  EXPECT_EQ(request.method, Method::get);
  EXPECT_EQ(request.target, base + "/x");
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.accept, "application/json");
}

TEST(Request, lists_in_pages_and_consistently_by_default) {
  EXPECT_EQ(list(widgets, "team-a", {}).target, base + "?limit=500");
  ListOptions options;
  options.limit = 0;
  EXPECT_EQ(list(widgets, "team-a", options).target, base);
  options = {.field_selector = "status.phase!=Failed",
             .label_selector = "a in (b,c)",
             .continue_token = {},
             .resource_version = {}};
  EXPECT_EQ(list(widgets, "", options).target,
            "/apis/example.com/v1/widgets?fieldSelector=status.phase%21%3DFailed&labelSelector=a%20in%20%28b%2Cc%29"
            "&limit=500");
}

TEST(Request, never_sends_a_resource_version_with_a_continue_token) {
  ListOptions options;
  options.resource_version = "7";
  EXPECT_EQ(list(widgets, "team-a", options).target,
            base + "?limit=500&resourceVersion=7&resourceVersionMatch=NotOlderThan");
  options.continue_token = "abc=";
  EXPECT_EQ(list(widgets, "team-a", options).target, base + "?limit=500&continue=abc%3D");
}

TEST(Request, watches_with_bookmarks) {
  WatchOptions options;
  options.resource_version = "7";
  EXPECT_EQ(watch(widgets, "team-a", options).target,
            base + "?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=290");
}

TEST(Request, asks_for_metadata_only_in_the_form_that_lists_and_watches_each_have) {
  ListOptions list_options;
  list_options.metadata_only = true;
  EXPECT_EQ(list(widgets, "", list_options).accept, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
  WatchOptions watch_options;
  watch_options.metadata_only = true;
  EXPECT_EQ(watch(widgets, "", watch_options).accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

TEST(Request, creates_with_the_object_as_body) {
  const Request request = create(widgets, "team-a", json{{"kind", "Widget"}});
  EXPECT_EQ(request.method, Method::post);
  EXPECT_EQ(request.target, base);
  EXPECT_EQ(request.content_type, "application/json");
  EXPECT_EQ(request.body, R"({"kind":"Widget"})");
}

TEST(Request, patches_a_subresource) {
  const Request request = merge_patch(widgets, x, json{{"status", nullptr}}, "status");
  EXPECT_EQ(request.method, Method::patch);
  EXPECT_EQ(request.target, base + "/x/status");
  EXPECT_EQ(request.content_type, "application/merge-patch+json");
  EXPECT_EQ(request.body, R"({"status":null})");
}

TEST(Request, applies_with_force_as_a_field_manager) {
  const Request request = apply(widgets, x, json::object(), "me & you");
  EXPECT_EQ(request.method, Method::patch);
  EXPECT_EQ(request.target, base + "/x?fieldManager=me%20%26%20you&force=true");
  EXPECT_EQ(request.content_type, "application/apply-patch+yaml");
}

TEST(Request, deletes_with_those_preconditions_that_were_given) {
  const Request both = delete_object(widgets, x, {.uid = "u", .resource_version = "7"});
  EXPECT_EQ(both.method, Method::delete_);
  EXPECT_EQ(both.target, base + "/x");
  EXPECT_EQ(both.content_type, "application/json");
  EXPECT_EQ(json::parse(both.body), json::parse(R"({"apiVersion":"v1","kind":"DeleteOptions",
    "propagationPolicy":"Background","preconditions":{"uid":"u","resourceVersion":"7"}})"));
  const json none = json::parse(delete_object(widgets, x, {}).body);
  EXPECT_FALSE(none.contains("preconditions"));
  const json uid = json::parse(delete_object(widgets, x, {.uid = "u", .resource_version = {}}).body);
  EXPECT_EQ(uid["preconditions"], (json{{"uid", "u"}}));
}

TEST(Request, replaces_invalid_utf8_in_a_body) {
  const Request request = create(widgets, "team-a", json{{"a", "\xff"}});
  EXPECT_EQ(json::parse(request.body)["a"], "\xef\xbf\xbd");
}

TEST(Request, percent_encodes_all_but_unreserved_characters) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode(std::string("\0 /\xff", 4)), "%00%20%2F%FF");
}

TEST(Request, names_its_methods) {
  EXPECT_EQ(to_string(Method::get), "GET");
  EXPECT_EQ(to_string(Method::post), "POST");
  EXPECT_EQ(to_string(Method::patch), "PATCH");
  EXPECT_EQ(to_string(Method::put), "PUT");
  EXPECT_EQ(to_string(Method::delete_), "DELETE");
}

}  // namespace
}  // namespace konductor::kube
