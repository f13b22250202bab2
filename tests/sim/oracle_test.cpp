#include "tests/sim/oracle.hpp"

#include "kube/request.hpp"
#include "kube/time.hpp"
#include "runtime/kind.hpp"
#include "tests/sim/liveness.hpp"
#include "tests/sim/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const kube::NamespacedName room{"ns", "room"};

KindUnderTest rooms() {
  KindUnderTest kind;
  kind.declaration.names = {"Room", "rooms", "room", ""};
  kind.declaration.claim = {"Guest", "guests", "guest", ""};
  kind.declaration.primitive_field = "room";
  kind.declaration.units_field = "beds";
  kind.too_much = [](const Json& spec, const std::vector<Holding>& held) -> std::string {
    std::int64_t sum = 0;
    for (const Holding& one : held) sum += one.units;
    return sum > spec.at("beds").get<std::int64_t>() ? std::to_string(sum) + " beds" : "";
  };
  kind.never_fits = [](const Json&, const Json&) { return false; };
  return kind;
}

/// Plays an operator by hand, so that each promise can be broken on purpose.
class OracleOnARoom : public testing::Test {
 protected:
  OracleOnARoom() {
    api.serve({.resource = kind.declaration.primitive_resource(),
               .kind = "Room",
               .status_subresource = true,
               .selectable = {},
               .rules = {}});
    api.serve({.resource = kind.declaration.claim_resource(),
               .kind = "Guest",
               .status_subresource = true,
               .selectable = {},
               .rules = {}});
    api.serve(
        {.resource = {"", "v1", "pods"}, .kind = "Pod", .status_subresource = true, .selectable = {}, .rules = {}});
    api.observe([this](const Commit& commit) { oracle.on_commit(commit); });
    advance(seconds{0});
    make_room();
  }

  void advance(std::chrono::microseconds by) {
    world.step(world.elapsed() + by);
    now = world.wall();
  }
  void make_room() {
    api.handle(kube::create(kind.declaration.primitive_resource(), "ns",
                            {{"apiVersion", "sync.konductor.io/v1"},
                             {"kind", "Room"},
                             {"metadata", {{"name", "room"}}},
                             {"spec", {{"beds", 2}, {"ttl", "30s"}}}}));
  }
  std::string arrive(const std::string& name, std::int64_t priority = 0) {
    const Json object{
        {"apiVersion", "sync.konductor.io/v1"},
        {"kind", "Guest"},
        {"metadata", {{"name", name}}},
        {"spec",
         {{"room", "room"}, {"beds", 1}, {"priority", priority}, {"requestedAt", kube::to_rfc3339_micro(now)}}}};
    return Json::parse(
        api.handle(kube::create(kind.declaration.claim_resource(), "ns", object)).body)["metadata"]["uid"];
  }
  static Json entry(const std::string& name, const std::string& uid, std::int64_t token) {
    return {{"claim", "ns/" + name}, {"uid", uid}, {"units", 1}, {"token", token}, {"rv", "1"}};
  }
  void record(const std::vector<Json>& pending) {
    const Json patch{{"status", {{"ledger", {{"pending", pending}}}}}};
    api.handle(kube::merge_patch(kind.declaration.primitive_resource(), room, patch, "status"), "operator-0");
  }
  void set(const std::string& name, const Json& status) {
    api.handle(kube::merge_patch(kind.declaration.claim_resource(), {"ns", name}, {{"status", status}}, "status"),
               "operator-0");
  }
  void tell(const std::string& name, std::int64_t token) {
    set(name, {{"phase", "Granted"}, {"units", 1}, {"token", token}, {"ttl", "30s"}});
  }

  KindUnderTest kind = rooms();
  World world{1};
  ApiModel& api = world.api();
  Oracle oracle{api, kind};
  Liveness liveness{world, oracle, kind};
  kube::WallTime now;
};

TEST_F(OracleOnARoom, is_content_with_a_grant_by_the_book) {
  const std::string a = arrive("a");
  record({entry("a", a, 5)});
  tell("a", 5);
  record({});
  advance(seconds{30});
  set("a", {{"phase", "Expired"}});
  EXPECT_THAT(oracle.violations(), IsEmpty());
  EXPECT_EQ(oracle.grants(), 1U);
  EXPECT_EQ(oracle.expiries(), 1U);
}

TEST_F(OracleOnARoom, sees_a_record_that_grants_too_much) {
  record({entry("a", arrive("a"), 5), entry("b", arrive("b"), 6), entry("c", arrive("c"), 7)});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("grants too much: 3 beds")));
}

TEST_F(OracleOnARoom, counts_grants_of_a_former_life) {
  const std::string a = arrive("a");
  const std::string b = arrive("b");
  record({entry("a", a, 5), entry("b", b, 6)});
  tell("a", 5);
  tell("b", 6);
  api.handle(kube::delete_object(kind.declaration.primitive_resource(), room, {}));
  make_room();
  record({entry("c", arrive("c"), 7)});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("grants too much: 3 beds")));
}

TEST_F(OracleOnARoom, sees_a_tell_that_nobody_recorded) {
  arrive("a");
  tell("a", 5);
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("never recorded")));
}

TEST_F(OracleOnARoom, sees_a_token_that_does_not_grow_in_a_new_life) {
  record({entry("a", arrive("a"), 5)});
  api.handle(kube::delete_object(kind.declaration.primitive_resource(), room, {}));
  make_room();
  record({entry("b", arrive("b"), 5)});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("does not grow")));
}

TEST_F(OracleOnARoom, sees_a_grant_that_is_forgotten_before_it_is_told) {
  record({entry("a", arrive("a"), 5)});
  record({});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("never told")));
}

TEST_F(OracleOnARoom, sees_an_expiry_that_comes_early) {
  record({entry("a", arrive("a"), 5)});
  tell("a", 5);
  advance(seconds{29});
  set("a", {{"phase", "Expired"}});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("after the last sign")));
}

TEST_F(OracleOnARoom, sees_a_terminal_phase_that_changes) {
  arrive("a");
  advance(seconds{31});
  set("a", {{"phase", "Expired"}});
  set("a", {{"phase", "Pending"}});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("terminal phase changes")));
}

TEST_F(OracleOnARoom, sees_who_is_served_before_those_that_came_first) {
  arrive("a");
  advance(seconds{1});
  const std::string b = arrive("b");
  const std::string urgent = arrive("u", 1);
  oracle.senders_view = api.revision();
  record({entry("u", urgent, 5)});
  EXPECT_THAT(oracle.violations(), IsEmpty());
  record({entry("u", urgent, 5), entry("b", b, 6)});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("ns/b is served before a")));
}

TEST_F(OracleOnARoom, sees_a_place_given_away_under_a_believing_holder) {
  const std::string a = arrive("a");
  record({entry("a", a, 5)});
  tell("a", 5);
  oracle.believes = [&](const std::string& uid) { return uid == a; };
  advance(seconds{40});
  set("a", {{"phase", "Expired"}});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("believes")));
}

TEST_F(OracleOnARoom, sees_an_operator_that_records_a_claim_and_ends_it_at_one_stroke) {
  const std::string a = arrive("a");
  const std::string b = arrive("b");
  oracle.sent_elapsed = seconds{1};
  record({entry("a", a, 5), entry("b", b, 6)});
  advance(seconds{30});
  oracle.sent_elapsed = seconds{2};
  set("a", {{"phase", "Expired"}});
  EXPECT_THAT(oracle.violations(), IsEmpty()) << "it may have forgotten meanwhile that it did";
  oracle.sent_elapsed = seconds{1};
  set("b", {{"phase", "Expired"}});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("at one stroke")));
}

TEST_F(OracleOnARoom, sees_a_holder_that_believes_for_longer_than_it_gave_signs_for) {
  const std::string a = arrive("a");
  record({entry("a", a, 5)});
  tell("a", 5);
  seconds left{20};
  oracle.believes_for = [&](const std::string&) { return left; };
  advance(seconds{10});
  set("a", {{"message", "30 s after the last sign, as it should"}});
  EXPECT_THAT(oracle.violations(), IsEmpty());
  left = seconds{21};
  set("a", {{"message", "a second longer"}});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("would believe for 21000000 us more")));
}

TEST_F(OracleOnARoom, sees_a_holder_that_believes_in_a_claim_that_has_ended) {
  arrive("a");
  advance(seconds{30});
  set("a", {{"phase", "Expired"}});
  oracle.believes_for = [](const std::string&) { return seconds{1}; };
  set("a", {{"message", "and goes on"}});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("believes in a claim that has ended")));
}

TEST_F(OracleOnARoom, sees_a_grant_under_a_spec_that_cannot_be_read) {
  kind.readable = [](const Json& spec) { return spec.at("beds").is_number(); };
  const std::string a = arrive("a");
  api.handle(kube::merge_patch(kind.declaration.primitive_resource(), room, {{"spec", {{"beds", "many"}}}}));
  record({entry("a", a, 5)});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("cannot be read")));
}

TEST_F(OracleOnARoom, sees_a_holder_that_reports_what_it_was_never_told) {
  const std::string a = arrive("a");
  record({entry("a", a, 5)});
  tell("a", 5);
  oracle.on_reported(a, 5);
  EXPECT_THAT(oracle.violations(), IsEmpty());
  oracle.on_reported(a, 6);
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("never told")));
}

TEST_F(OracleOnARoom, sees_a_waiter_denied_that_may_wait) {
  arrive("a");
  set("a", {{"phase", "Denied"}});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("may wait is denied")));
}

TEST_F(OracleOnARoom, sees_one_that_is_sent_away_where_nobody_else_was) {
  const Json away = {{"phase", "Denied"}, {"conditions", {{{"type", "Granted"}, {"reason", runtime::not_now}}}}};
  const auto asks = [this](const std::string& name) {
    api.handle(kube::merge_patch(kind.declaration.claim_resource(), {"ns", name}, {{"spec", {{"wait", false}}}}));
  };
  arrive("a");
  asks("a");
  const std::string b = arrive("b");
  set("a", away);
  EXPECT_THAT(oracle.violations(), IsEmpty()) << "another one waited";
  record({entry("b", b, 5)});
  tell("b", 5);
  arrive("c");
  asks("c");
  set("b", {{"phase", "Expired"}});
  set("c", away);
  EXPECT_THAT(oracle.violations(), testing::Not(testing::Contains(HasSubstr("nobody else was there"))))
      << "another one held when it came";
  arrive("d");
  asks("d");
  set("d", away);
  EXPECT_THAT(oracle.violations(), testing::Contains(HasSubstr("nobody else was there")));
}

TEST_F(OracleOnARoom, sees_who_holds_for_longer_than_its_time_to_live) {
  const std::string a = arrive("a");
  record({entry("a", a, 5)});
  tell("a", 5);
  advance(seconds{34});
  liveness.look(room, seconds{0});
  EXPECT_THAT(oracle.violations(), IsEmpty());
  advance(seconds{2});
  liveness.look(room, seconds{20});
  EXPECT_THAT(oracle.violations(), IsEmpty()) << "not all of that time was quiet";
  liveness.look(room, seconds{0});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("holds still")));
}

TEST_F(OracleOnARoom, sees_who_waits_although_there_is_a_place) {
  arrive("a");
  liveness.look(room, seconds{0});
  advance(seconds{4});
  liveness.look(room, seconds{0});
  EXPECT_THAT(oracle.violations(), IsEmpty());
  advance(seconds{2});
  liveness.look(room, seconds{0});
  EXPECT_THAT(oracle.violations(), ElementsAre(HasSubstr("it waits still")));
}

}  // namespace
}  // namespace konductor::sim
