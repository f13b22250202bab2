// What the host makes of a plan where claims are only counted: one write for all, denials, discards.
#include "tests/support/kind_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// A widget that waits for two, as it is shown once it has been looked at.
struct KindMachineCounting : testing::Test {
  void begin(const std::vector<json>& tickets = {}) {
    bench.start({.widgets = {w}, .tickets = tickets});
    stored(bench.only());
  }
  void stored(const runtime::Outgoing& write) {
    ASSERT_EQ(about(write), "PATCH widgets/w/status");
    w = patched(w, write.request.body, ++rv);
    bench.answer(write, w);
  }
  std::uint64_t rv = 200;
  KindBench bench{counting_widgets()};
  json w = Widget{.limit = 2}.object();
};

TEST_F(KindMachineCounting, opens_by_one_write) {
  begin({Ticket{.name = "a"}.object()});
  EXPECT_EQ(w["status"]["arrived"], 1);
  bench.ticket(Ticket{.name = "b", .rv = 210}.object());
  const auto write = bench.only();
  stored(write);
  EXPECT_EQ(body(write)["metadata"]["resourceVersion"], "201");
  EXPECT_EQ(w["status"]["state"], json({{"phase", "Open"}}));
  EXPECT_EQ(w["status"]["phase"], "Open");
  EXPECT_EQ(w["status"]["arrived"], 2);
  EXPECT_EQ(w["status"]["conditions"][0]["status"], "True");
  EXPECT_FALSE(w["status"].contains("ledger"));
  EXPECT_THAT(about(bench.work_within(hours{100})), IsEmpty()) << "nobody is told, renews, or expires";
}

TEST_F(KindMachineCounting, shows_how_many_came_when_no_more_come) {
  w["spec"]["limit"] = 1000;
  begin();
  for (int i = 0; i < 10; ++i) {
    bench.ticket(Ticket{.name = "t" + std::to_string(i), .rv = 210U + static_cast<unsigned>(i)}.object());
    EXPECT_THAT(about(bench.work_within(milliseconds{100})), IsEmpty()) << i;
  }
  const auto shown = bench.work_within(milliseconds{200});
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(body(shown[0])["status"]["arrived"], 10);
}

TEST_F(KindMachineCounting, shows_how_many_came_while_more_and_more_come) {
  w["spec"]["limit"] = 1000;
  begin();
  int writes = 0;
  for (int i = 0; i < 100; ++i) {
    bench.ticket(Ticket{.name = "t" + std::to_string(i), .rv = 210U + static_cast<unsigned>(i)}.object());
    for (const auto& out : bench.work_within(milliseconds{50})) {
      ++writes;
      stored(out);
    }
  }
  EXPECT_GE(writes, 3) << "in five seconds";
  EXPECT_LE(writes, 5);
}

TEST_F(KindMachineCounting, counts_whose_pod_is_dead) {
  w["spec"]["limit"] = 3;
  auto a = Ticket{.name = "a", .pod = "p1"}.object();
  a["spec"]["person"] = "ann";
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {"p1"}});
  stored(bench.only());
  bench.pod_gone("p1", 205);
  EXPECT_THAT(about(bench.work_within(hours{1})), IsEmpty());
  EXPECT_EQ(w["status"]["arrived"], 1);
}

TEST_F(KindMachineCounting, does_not_count_who_came_to_a_former_life) {
  auto owned = Ticket{.name = "owned"}.object(), other = Ticket{.name = "other"}.object();
  const auto owner = [](const char* uid) {
    return json::array({{{"apiVersion", "sync.konductor.io/v1"}, {"kind", "Widget"}, {"name", "w"}, {"uid", uid}}});
  };
  owned["metadata"]["ownerReferences"] = owner("w-1");
  other["metadata"]["ownerReferences"] = owner("w-0");
  begin({owned, other});
  EXPECT_EQ(w["status"]["arrived"], 1);
}

TEST_F(KindMachineCounting, denies_who_came_before_it_was_made_and_has_no_owner) {
  bench.start({.widgets = {w}, .tickets = {Ticket{.name = "older", .created_s = 999}.object()}});
  const auto sent = bench.work();
  const auto denial =
      std::ranges::find_if(sent, [](const auto& out) { return about(out) == "PATCH tickets/older/status"; });
  ASSERT_NE(denial, sent.end()) << testing::PrintToString(about(sent));
  EXPECT_EQ(body(*denial)["status"]["phase"], "Denied");
  EXPECT_EQ(body(*denial)["status"]["conditions"][0]["reason"], "Older");
}

TEST_F(KindMachineCounting, counts_nobody_less_for_a_phase_that_means_nothing_there) {
  begin({Ticket{.name = "a", .status = {{"phase", "Granted"}}}.object()});
  EXPECT_EQ(w["status"]["arrived"], 1);
}

TEST_F(KindMachineCounting, denies_on_the_claim_and_deletes_it_later) {
  const auto a = Ticket{.name = "a", .units = 13}.object();
  bench.start({.widgets = {w}, .tickets = {a}});
  const auto sent = bench.work();
  ASSERT_THAT(about(sent), ElementsAre("PATCH widgets/w/status", "PATCH tickets/a/status"));
  EXPECT_EQ(body(sent[1])["status"]["phase"], "Denied");
  EXPECT_EQ(body(sent[1])["status"]["conditions"][0]["reason"], "Unlucky");
  EXPECT_EQ(body(sent[1])["status"]["conditions"][0]["message"], "thirteen is no number of units");
  stored(sent[0]);
  const auto denied = patched(a, sent[1].request.body, 220);
  bench.answer(sent[1], denied);
  EXPECT_THAT(about(bench.work_within(minutes{10} - milliseconds{1})), IsEmpty());
  const auto removal = bench.work_within(milliseconds{1});
  ASSERT_THAT(about(removal), ElementsAre("DELETE tickets/a"));
  EXPECT_EQ(body(removal[0])["preconditions"], json({{"uid", "uid-a"}, {"resourceVersion", "220"}}));
}

TEST_F(KindMachineCounting, deletes_what_was_discarded_once_it_has_been_there_for_a_while) {
  begin({Ticket{.name = "a"}.object(), Ticket{.name = "b", .units = 9}.object()});
  EXPECT_EQ(w["status"]["phase"], "Open");
  EXPECT_THAT(about(bench.work_within(minutes{10} - milliseconds{1})), IsEmpty());
  const auto sent = bench.work_within(milliseconds{1});
  ASSERT_THAT(about(sent), ElementsAre("DELETE tickets/b", "PATCH widgets/w/status"));
  EXPECT_EQ(body(sent[0])["preconditions"]["uid"], "uid-b");
  bench.answer(sent[0], json::object());
  stored(sent[1]);
  EXPECT_EQ(w["status"]["arrived"], 1) << "one less is there";
  EXPECT_EQ(w["status"]["phase"], "Open") << "and it stays open";
  EXPECT_THAT(about(bench.work_within(hours{1})), IsEmpty());
}

/// It waits for two, for two seconds, and one is there.
struct KindMachineDeadline : KindMachineCounting {
  void SetUp() override {
    w["spec"]["deadline"] = 3002 * std::int64_t{1'000'000};
    begin({a});
    const auto sent = bench.work_within(seconds{3});
    ASSERT_THAT(about(sent), ElementsAre("LIST tickets")) << "and nothing is concluded before";
    list = sent[0];
  }
  void listed(const json& tickets) {
    bench.answer(list, {{"metadata", {{"resourceVersion", "400"}}}, {"items", tickets}});
    stored(bench.only());
  }
  json a = Ticket{.name = "a"}.object();
  runtime::Outgoing list;
};

TEST_F(KindMachineDeadline, is_not_missed_by_who_came_and_is_not_in_the_view_yet) {
  listed({a, Ticket{.name = "b", .rv = 300}.object()});
  EXPECT_EQ(w["status"]["phase"], "Open");
}

TEST_F(KindMachineDeadline, is_missed_by_who_is_not_there) {
  listed(json::array({a}));
  EXPECT_EQ(w["status"]["phase"], "Failed");
  EXPECT_EQ(w["status"]["state"]["phase"], "Failed");
  EXPECT_THAT(about(bench.work_within(hours{1})), IsEmpty());
}

json page_of(const json& tickets, const std::string& next) {
  return {{"metadata", {{"resourceVersion", "400"}, {"continue", next}}}, {"items", tickets}};
}

TEST_F(KindMachineDeadline, is_not_over_before_every_page_of_the_list_has_come) {
  EXPECT_THAT(list.request.target, HasSubstr("limit=1000"));
  bench.answer(list, page_of(json::array({a}), "more"));
  list = bench.only();
  ASSERT_EQ(about(list), "LIST tickets");
  EXPECT_THAT(list.request.target, HasSubstr("continue=more"));
  listed(json::array({Ticket{.name = "b", .rv = 300}.object()}));
  EXPECT_EQ(w["status"]["phase"], "Open");
}

TEST_F(KindMachineDeadline, counts_nobody_who_is_on_no_page) {
  bench.answer(list, page_of(json::array({Ticket{.name = "b", .rv = 300}.object()}), "more"));
  list = bench.only();
  listed(json::array());
  EXPECT_EQ(w["status"]["phase"], "Failed");
  EXPECT_EQ(w["status"]["arrived"], 1) << "b, and a is gone";
}

TEST_F(KindMachineDeadline, is_not_over_where_a_page_has_expired_and_the_list_begins_anew) {
  bench.answer(list, page_of(json::array({a}), "more"));
  bench.refuse(bench.only(), 410, "Expired");
  list = bench.only();
  ASSERT_EQ(about(list), "LIST tickets") << "at once";
  EXPECT_THAT(list.request.target, Not(HasSubstr("continue")));
  listed({a, Ticket{.name = "b", .rv = 300}.object()});
  EXPECT_EQ(w["status"]["phase"], "Open");
}

TEST_F(KindMachineDeadline, begins_a_list_anew_at_once_but_once) {
  bench.answer(list, page_of(json::array({a}), "more"));
  bench.refuse(bench.only(), 410, "Expired");
  bench.answer(bench.only(), page_of(json::array({a}), "others"));
  bench.refuse(bench.only(), 410, "Expired");
  EXPECT_THAT(about(bench.work_within(seconds{4})), IsEmpty());
  const auto again = bench.work_within(seconds{2});
  ASSERT_THAT(about(again), ElementsAre("LIST tickets"));
  EXPECT_THAT(again[0].request.target, Not(HasSubstr("continue")));
}

TEST_F(KindMachineDeadline, follows_no_page_to_itself) {
  bench.answer(list, page_of(json::array({a}), "more"));
  bench.answer(bench.only(), page_of(json::array({a}), "more"));
  EXPECT_THAT(about(bench.work()), IsEmpty());
  const auto again = bench.work_within(seconds{6});
  ASSERT_THAT(about(again), ElementsAre("LIST tickets"));
  EXPECT_THAT(again[0].request.target, Not(HasSubstr("continue")));
  list = again[0];
  listed({a, Ticket{.name = "b", .rv = 300}.object()});
  EXPECT_EQ(w["status"]["phase"], "Open");
}

// It slept, and finds the first of two and the end of its time at once.
TEST_F(KindMachineCounting, does_not_take_a_deadline_that_it_overslept_for_missed) {
  begin();
  bench.pass(hours{1});
  w = patched(w, R"({"spec": {"deadline": 3002000000}})", 209);
  bench.widget(w);
  bench.ticket(Ticket{.name = "a", .rv = 210}.object());
  const auto first = bench.only();
  ASSERT_EQ(about(first), "LIST tickets");
  const auto both = json::array({Ticket{.name = "a", .rv = 210}.object(), Ticket{.name = "b", .rv = 211}.object()});
  bench.answer(first, {{"metadata", {{"resourceVersion", "400"}}}, {"items", both}});
  stored(bench.only());
  EXPECT_EQ(w["status"]["phase"], "Open");
}

// Its watch is behind: when it hears of the first, its time is over already, and the other is on the way.
TEST_F(KindMachineCounting, does_not_take_a_deadline_for_missed_that_was_over_before_it_heard_of_anybody) {
  w["spec"]["patience"] = seconds{2} / std::chrono::microseconds{1};
  begin();
  const auto a = Ticket{.name = "a", .rv = 210, .created_s = 2990}.object();
  const auto b = Ticket{.name = "b", .rv = 211, .created_s = 2991}.object();
  bench.ticket(a);
  const auto first = bench.only();
  ASSERT_EQ(about(first), "LIST tickets");
  bench.answer(first, {{"metadata", {{"resourceVersion", "400"}}}, {"items", {a, b}}});
  stored(bench.only());
  EXPECT_EQ(w["status"]["phase"], "Open");
}

TEST_F(KindMachineDeadline, that_was_over_before_it_led_is_looked_at_likewise) {
  KindBench next(counting_widgets());
  next.pass(hours{1});
  next.start({.widgets = {w}, .tickets = {a}, .rv = 350});
  const auto first = next.only();
  ASSERT_EQ(about(first), "LIST tickets");
  const auto both = json::array({a, Ticket{.name = "b", .rv = 400}.object()});
  next.answer(first, {{"metadata", {{"resourceVersion", "400"}}}, {"items", both}});
  EXPECT_EQ(body(next.only())["status"]["phase"], "Open");
}

TEST_F(KindMachineDeadline, is_not_over_while_claims_cannot_be_listed) {
  for (int i = 0; i < 3; ++i) {
    bench.refuse(list, 500, "InternalError");
    const auto again = bench.work_within(seconds{6});
    ASSERT_THAT(about(again), ElementsAre("LIST tickets"));
    list = again[0];
  }
  listed({a, Ticket{.name = "b", .rv = 300}.object()});
  EXPECT_EQ(w["status"]["phase"], "Open");
}

TEST_F(KindMachineDeadline, is_not_over_and_people_hear_why_where_claims_can_never_be_listed) {
  int writes = 0;
  for (int i = 0; i < 30; ++i) {
    bench.refuse(list, 400, "BadRequest", "field label not supported: spec.widget");
    for (const auto& out : bench.work_within(seconds{6})) {
      if (about(out) == "LIST tickets") list = out;
      if (about(out) != "LIST tickets" && ++writes > 0) stored(out);
    }
  }
  EXPECT_EQ(writes, 1);
  EXPECT_EQ(w["status"]["phase"], "Waiting");
  EXPECT_THAT(w["status"]["conditions"].dump(), testing::HasSubstr("field label not supported"));
  listed({a, Ticket{.name = "b", .rv = 300}.object()});
  EXPECT_EQ(w["status"]["phase"], "Open");
  EXPECT_THAT(w["status"]["conditions"].dump(), testing::Not(testing::HasSubstr("ClaimsNotListed")));
}

TEST_F(KindMachineDeadline, is_not_over_and_people_hear_why_where_a_list_has_no_comparable_version) {
  for (int i = 0; i < 10; ++i) {
    bench.answer(list, {{"metadata", {{"resourceVersion", "x"}}}, {"items", json::array({a})}});
    for (const auto& out : bench.work_within(seconds{6})) about(out) == "LIST tickets" ? void(list = out) : stored(out);
  }
  EXPECT_EQ(w["status"]["phase"], "Waiting");
  EXPECT_THAT(w["status"]["conditions"].dump(),
              testing::AllOf(HasSubstr("ClaimsNotListed"), HasSubstr("no decimal integer")));
}

// Else whoever decides next would see fewer than had come.
TEST_F(KindMachineCounting, deletes_nothing_before_what_it_was_decided_by_is_stored) {
  begin({Ticket{.name = "a", .units = 9}.object()});
  bench.pass(hours{1});
  bench.ticket(Ticket{.name = "b", .rv = 210, .units = 9}.object());
  const auto opening = bench.only();
  EXPECT_EQ(body(opening)["status"]["phase"], "Open");
  bench.conflict(opening);
  const auto reread = bench.only();
  ASSERT_EQ(about(reread), "GET widgets/w");
  w = patched(w, R"({"metadata": {"labels": {"a": "b"}}})", ++rv);
  bench.answer(reread, w);
  stored(bench.only());
  EXPECT_THAT(about(bench.work_within(milliseconds{1})), testing::Contains("DELETE tickets/a"));
}

TEST_F(KindMachineCounting, counts_who_is_new_though_discarded_ones_fill_the_bound) {
  runtime::KindSettings settings;
  settings.max_claims = 2;
  bench = KindBench(counting_widgets(), settings);
  begin({Ticket{.name = "a", .units = 9}.object(), Ticket{.name = "b", .units = 9}.object()});
  ASSERT_EQ(w["status"]["phase"], "Open");
  EXPECT_THAT(about(bench.work()), IsEmpty());
  bench.ticket(Ticket{.name = "c", .rv = 210, .created_s = 2500}.object());
  stored(bench.work_within(seconds{2}).at(0));
  EXPECT_EQ(w["status"]["arrived"], 3);
  EXPECT_THAT(w["status"]["conditions"].dump(), testing::Not(testing::HasSubstr("TooManyClaims")));
}

TEST_F(KindMachineCounting, deletes_a_crowd_of_discarded_ones_a_few_at_a_time) {
  constexpr std::size_t crowd = 200;
  std::vector<json> tickets;
  for (std::size_t i = 0; i < crowd; ++i)
    tickets.push_back(Ticket{.name = "t" + std::to_string(i), .units = 9}.object());
  begin(tickets);
  auto sent = bench.work_within(minutes{11});
  std::size_t deleted = 0;
  while (!sent.empty() && deleted <= crowd) {
    EXPECT_LE(sent.size(), 17U) << "half of all requests in flight, and what is shown";
    for (const auto& out : sent) {
      const bool removal = about(out).starts_with("DELETE");
      if (removal) ++deleted;
      removal ? bench.answer(out, json::object()) : stored(out);
    }
    sent = bench.work_within(seconds{2});
  }
  EXPECT_EQ(deleted, crowd);
}

}  // namespace
}  // namespace konductor::test
