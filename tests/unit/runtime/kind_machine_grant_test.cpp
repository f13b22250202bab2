#include "tests/support/kind_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(KindMachine, records_then_tells_an_uncontended_grant_and_is_quiet) {
  KindBench bench;
  const auto w = Widget{}.object();
  const auto a = Ticket{}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});

  const auto record = bench.only();
  EXPECT_EQ(about(record), "PATCH widgets/w/status");
  const auto written = body(record);
  EXPECT_EQ(written["metadata"], json({{"resourceVersion", "100"}, {"uid", "w-1"}}));
  const json entry = {{"claim", "ns/a"}, {"uid", "uid-a"}, {"units", 1}, {"token", 100001}, {"rv", "105"}};
  EXPECT_EQ(written["status"]["ledger"], json({{"lastToken", 100001}, {"seen", "100"}, {"pending", {entry}}}));
  EXPECT_EQ(written["status"]["inUse"], 1);
  EXPECT_EQ(written["status"]["holders"][0]["name"], "ns/a");
  EXPECT_THAT(bench.work(), IsEmpty()) << "nothing is told before the record is committed";

  bench.answer(record, patched(w, record.request.body, 120));
  bench.pass(milliseconds{5});
  const auto tell = bench.only();
  EXPECT_EQ(about(tell), "PATCH tickets/a/status");
  const auto told = body(tell);
  EXPECT_EQ(told["metadata"], json({{"resourceVersion", "105"}, {"uid", "uid-a"}}));
  EXPECT_EQ(told["status"]["phase"], "Granted");
  EXPECT_EQ(told["status"]["token"], 100001);
  EXPECT_EQ(told["status"]["units"], 1);
  EXPECT_EQ(told["status"]["ttl"], "10m");
  EXPECT_EQ(told["status"]["primitiveUID"], "w-1");
  EXPECT_EQ(told["status"]["conditions"][0]["type"], "Granted");
  EXPECT_EQ(told["status"]["conditions"][0]["status"], "True");

  const auto a_granted = patched(a, tell.request.body, 121);
  bench.answer(tell, a_granted);
  EXPECT_THAT(about(bench.work()), IsEmpty());
  bench.ticket(a_granted);
  EXPECT_THAT(about(bench.work_within(minutes{9})), IsEmpty()) << "a grant costs one record and one tell";
}

TEST(KindMachine, shows_the_selector_of_a_scale_with_what_it_writes_anyway) {
  auto kind = widgets();
  kind.scale = {"spec.limit", "status.limit"};
  KindBench bench(kind);
  const auto w = Widget{}.object();
  const auto a = Ticket{}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
  const auto record = bench.only();
  EXPECT_EQ(body(record)["status"]["selector"], "sync.konductor.io/widget=w");
  bench.answer(record, patched(w, record.request.body, 120));
  const auto tell = bench.only();
  const auto a_granted = patched(a, tell.request.body, 121);
  bench.answer(tell, a_granted);
  bench.ticket(a_granted);
  EXPECT_THAT(about(bench.work_within(minutes{9})), IsEmpty());
}

TEST(KindMachine, lists_holders_by_their_grants_so_that_telling_one_changes_nothing) {
  KindBench bench;
  const auto w = Widget{.limit = 2}.object();
  const auto low = Ticket{.name = "low"}.object();
  bench.start({.widgets = {w}, .tickets = {low}, .pods = {}});
  const auto first = bench.only();
  const auto w1 = patched(w, first.request.body, 120);
  bench.answer(first, w1);
  const auto tell = bench.only();
  const auto low_granted = patched(low, tell.request.body, 121);
  bench.answer(tell, low_granted);
  bench.ticket(low_granted);

  const auto high = Ticket{.name = "high", .rv = 122, .priority = 9}.object();
  bench.ticket(high);
  const auto second = bench.only();
  const auto holders = body(second)["status"]["holders"];
  ASSERT_EQ(holders.size(), 2U);
  EXPECT_EQ(holders[0]["name"], "ns/low") << "who holds for longer stands first";
  EXPECT_EQ(holders[1]["name"], "ns/high");
  const auto w2 = patched(w1, second.request.body, 130);
  bench.answer(second, w2);
  const auto told = bench.only();
  const auto high_granted = patched(high, told.request.body, 131);
  bench.answer(told, high_granted);
  bench.ticket(high_granted);
  EXPECT_THAT(about(bench.work_within(minutes{9})), IsEmpty()) << "no write for the list alone";

  bench.ticket_gone(low_granted, 140);
  const auto freed = bench.only();
  EXPECT_EQ(about(freed), "PATCH widgets/w/status");
  EXPECT_EQ(body(freed)["status"]["inUse"], 1);
  ASSERT_EQ(body(freed)["status"]["holders"].size(), 1U);
  EXPECT_EQ(body(freed)["status"]["holders"][0]["name"], "ns/high");
}

TEST(KindMachine, a_full_list_of_holders_does_not_change_with_who_comes_later) {
  KindBench bench;
  std::vector<json> tickets;
  for (int i = 0; i < 12; ++i) {
    const auto name = "t" + std::to_string(10 + i);
    tickets.push_back(Ticket{.name = name, .priority = i, .status = granted(100 + i)}.object());
  }
  bench.start(
      {.widgets = {Widget{.limit = 13, .status = ledger(200, "100")}.object()}, .tickets = tickets, .pods = {}});
  const auto write = bench.only();
  const auto before = body(write)["status"]["holders"];
  ASSERT_EQ(before.size(), 10U);
  EXPECT_EQ(before[0]["name"], "ns/t10");
  EXPECT_EQ(before[9]["name"], "ns/t19");
  bench.answer(write, patched(Widget{.limit = 13, .status = ledger(200, "100")}.object(), write.request.body, 120));
  bench.ticket(Ticket{.name = "new", .rv = 121, .priority = 99}.object());
  const auto record = bench.only();
  EXPECT_THAT(pending_of(record), ElementsAre("ns/new"));
  EXPECT_FALSE(body(record)["status"].contains("holders"));
}

TEST(KindMachine, serves_the_second_of_two_when_the_first_is_gone) {
  KindBench bench;
  const auto w = Widget{.status = ledger(7000, "100")}.object();
  const auto a = Ticket{.name = "a", .rv = 105}.object();
  const auto b = Ticket{.name = "b", .rv = 106, .created_s = 2001}.object();
  bench.start({.widgets = {w}, .tickets = {b, a}, .pods = {}});

  const auto first = bench.only();
  EXPECT_THAT(pending_of(first), ElementsAre("ns/a"));
  const auto w1 = patched(w, first.request.body, 120);
  bench.answer(first, w1);
  const auto tell = bench.only();
  const auto a_granted = patched(a, tell.request.body, 121);
  bench.answer(tell, a_granted);
  bench.ticket(a_granted);
  EXPECT_THAT(bench.work(), IsEmpty());

  const auto why = bench.work_within(milliseconds{300});
  ASSERT_THAT(about(why), ElementsAre("PATCH tickets/b/status")) << "who waits longer is told why";
  EXPECT_EQ(body(why[0])["status"]["phase"], "Pending");
  EXPECT_EQ(body(why[0])["status"]["conditions"][0]["reason"], "LimitReached");
  const auto b_told = patched(b, why[0].request.body, 122);
  bench.answer(why[0], b_told);
  bench.ticket(b_told);
  EXPECT_THAT(bench.work(), IsEmpty());

  bench.ticket_gone(a_granted, 130);
  const auto second = bench.only();
  EXPECT_THAT(pending_of(second), ElementsAre("ns/b"));
  EXPECT_EQ(body(second)["metadata"]["resourceVersion"], "120");
  EXPECT_EQ(body(second)["status"]["holders"][0]["name"], "ns/b");
  EXPECT_GT(body(second)["status"]["ledger"]["lastToken"], 120000);
}

TEST(KindMachine, forgets_a_told_grant_with_the_next_record_and_raises_seen) {
  KindBench bench;
  const auto w = Widget{.limit = 2, .status = ledger(7000, "100")}.object();
  const auto a = Ticket{.name = "a"}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
  const auto first = bench.only();
  const auto w1 = patched(w, first.request.body, 120);
  bench.answer(first, w1);
  const auto tell = bench.only();
  bench.answer(tell, patched(a, tell.request.body, 121));
  EXPECT_THAT(bench.work(), IsEmpty());

  // The watch has not shown the tell yet: the view is complete to 119 only, and that is enough for its author.
  bench.ticket(Ticket{.name = "b", .rv = 119}.object());
  const auto second = bench.only();
  EXPECT_THAT(pending_of(second), ElementsAre("ns/b"));
  EXPECT_EQ(body(second)["status"]["ledger"]["seen"], "121");
  EXPECT_EQ(body(second)["status"]["inUse"], 2);
}

TEST(KindMachine, never_has_more_pending_than_a_batch) {
  runtime::KindSettings settings;
  settings.batch = 128;
  KindBench bench(widgets(), settings);
  const auto w = Widget{.limit = 1000, .status = ledger(1, "100")}.object();
  std::vector<json> tickets;
  std::map<std::string, json> state;
  for (int i = 0; i < 300; ++i) {
    const auto name = "t" + std::to_string(1000 + i);
    tickets.push_back(Ticket{.name = name}.object());
    state["PATCH tickets/" + name + "/status"] = tickets.back();
  }
  bench.start({.widgets = {w}, .tickets = tickets, .pods = {}});

  auto stored = w;
  std::uint64_t rv = 200;
  std::size_t told = 0;
  std::size_t records = 0;
  std::set<std::int64_t> tokens;
  for (int round = 0; round < 2000 && told < 300; ++round) {
    const auto sent = bench.work();
    ASSERT_LE(bench.machine.counters().in_flight, 32U);
    for (const auto& one : sent) {
      ++rv;
      if (about(one) == "PATCH widgets/w/status") {
        EXPECT_LE(pending_of(one).size(), 128U);
        ++records;
        stored = patched(stored, one.request.body, rv);
        bench.answer(one, stored);
      } else {
        auto& ticket = state.at(about(one));
        ticket = patched(ticket, one.request.body, rv);
        ASSERT_EQ(ticket["status"]["phase"], "Granted");
        EXPECT_TRUE(tokens.insert(ticket["status"]["token"].get<std::int64_t>()).second);
        ++told;
        bench.answer(one, ticket);
      }
    }
  }
  EXPECT_EQ(told, 300U);
  EXPECT_GE(records, 3U);
}

TEST(KindMachine, denies_who_does_not_wait_only_after_a_complete_decision) {
  runtime::KindSettings settings;
  settings.batch = 1;
  KindBench bench(widgets(), settings);
  const auto w = Widget{.limit = 1, .status = ledger(1, "100")}.object();
  const auto a = Ticket{.name = "a"}.object();
  const auto b = Ticket{.name = "b", .rv = 106, .created_s = 2001, .wait = false}.object();
  bench.start({.widgets = {w}, .tickets = {a, b}, .pods = {}});
  const auto record = bench.only();  // the bound on grants was reached: b is not judged yet
  EXPECT_THAT(pending_of(record), ElementsAre("ns/a"));
  bench.answer(record, patched(w, record.request.body, 120));
  const auto tell = bench.only();
  bench.answer(tell, patched(a, tell.request.body, 121));
  const auto denial = bench.only();
  EXPECT_EQ(about(denial), "PATCH tickets/b/status");
  EXPECT_EQ(body(denial)["status"]["phase"], "Denied");
  EXPECT_EQ(body(denial)["status"]["conditions"][0]["reason"], "Unavailable");
  EXPECT_EQ(body(denial)["status"]["conditions"][0]["message"], "all are in use");
}

TEST(KindMachine, denies_who_does_not_wait_and_asks_for_too_much_with_the_reason_of_the_verdict) {
  KindBench bench;
  const auto w = Widget{.limit = 2, .status = ledger(1, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{.units = 3, .wait = false}.object()}, .pods = {}});
  const auto sent = bench.work();
  const auto denial =
      std::find_if(sent.begin(), sent.end(), [](const auto& one) { return about(one) == "PATCH tickets/a/status"; });
  ASSERT_NE(denial, sent.end()) << testing::PrintToString(about(sent));
  EXPECT_EQ(body(*denial)["status"]["phase"], "Denied");
  EXPECT_EQ(body(*denial)["status"]["conditions"][0]["reason"], runtime::exceeds_limit);
}

TEST(KindMachine, grants_who_does_not_wait_where_there_is_room) {
  KindBench bench;
  bench.start({.widgets = {Widget{}.object()}, .tickets = {Ticket{.wait = false}.object()}, .pods = {}});
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/a"));
}

TEST(KindMachine, tells_a_consumed_grant_without_units) {
  auto kind = widgets();
  kind.decide = [](const runtime::Observation& seen) -> Result<runtime::Plan> {
    runtime::Plan plan;
    for (std::size_t i = 0; i < seen.claims.size(); ++i)
      if (seen.claims[i].state == runtime::ClaimState::waiting)
        plan.verdicts.push_back({i, runtime::VerdictKind::grant_consume, {}, {}, 0});
    if (!plan.verdicts.empty()) plan.state = R"({ "spent": 1 })";
    return plan;
  };
  KindBench bench(kind);
  const auto w = Widget{}.object();
  const auto a = Ticket{.units = 3}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
  const auto record = bench.only();
  EXPECT_EQ(body(record)["status"]["ledger"]["pending"][0]["units"], 0);
  EXPECT_EQ(body(record)["status"]["state"], json({{"spent", 1}}));
  EXPECT_EQ(body(record)["status"]["holders"], json::array());
  bench.answer(record, patched(w, record.request.body, 120));
  const auto tell = bench.only();
  EXPECT_EQ(body(tell)["status"]["units"], 0);
  EXPECT_EQ(body(tell)["status"]["phase"], "Granted");
}

TEST(KindMachine, writes_the_same_state_in_other_words_only_once) {
  auto kind = widgets();
  kind.decide = [](const runtime::Observation&) -> Result<runtime::Plan> {
    runtime::Plan plan;
    plan.state = R"({ "z": 1,  "a": {"left": 2}, "none": null })";
    return plan;
  };
  KindBench bench(kind);
  const auto w = Widget{.status = ledger(1, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {}, .pods = {}});
  const auto record = bench.only();
  bench.answer(record, patched(w, record.request.body, 120));
  EXPECT_THAT(about(bench.work_within(seconds{10})), IsEmpty());
}

TEST(KindMachine, coalesces_counts_but_writes_the_first_change_at_once) {
  KindBench bench;
  auto stored = Widget{.limit = 0, .status = ledger(1, "100")}.object();
  bench.start({.widgets = {stored}, .tickets = {}, .pods = {}});
  auto write = bench.only();
  EXPECT_EQ(body(write)["status"]["waiting"], 0);
  stored = patched(stored, write.request.body, 120);
  bench.answer(write, stored);
  EXPECT_THAT(bench.work(), IsEmpty());

  bench.pass(seconds{1});
  std::uint64_t rv = 130;
  bench.ticket(Ticket{.name = "a", .rv = ++rv}.object());
  write = bench.only();
  EXPECT_EQ(body(write)["status"]["waiting"], 1);
  stored = patched(stored, write.request.body, ++rv);
  bench.answer(write, stored);
  for (const char* name : {"b", "c", "d"}) {
    bench.ticket(Ticket{.name = name, .rv = ++rv}.object());
    EXPECT_THAT(about(bench.work()), IsEmpty());
  }
  bench.pass(milliseconds{299});
  for (const auto& one : bench.work()) EXPECT_NE(about(one), "PATCH widgets/w/status");
  bench.pass(milliseconds{1});
  std::size_t writes = 0;
  for (const auto& one : bench.work()) {
    if (about(one) != "PATCH widgets/w/status") continue;
    ++writes;
    EXPECT_EQ(body(one)["status"]["waiting"], 4);
  }
  EXPECT_EQ(writes, 1U);
}

TEST(KindMachine, does_not_spin_where_the_server_prunes_what_is_shown) {
  KindBench bench;
  const auto w = Widget{.status = ledger(1, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {}, .pods = {}});
  const auto write = bench.only();
  bench.answer(write, w);  // stored nothing, so that its resourceVersion stays
  EXPECT_THAT(about(bench.work_within(seconds{4})), IsEmpty());
  EXPECT_THAT(bench.machine.take_log(), SizeIs(1));
}

TEST(KindMachine, shows_claims_over_the_bound_once) {
  runtime::KindSettings settings;
  settings.max_claims = 1;
  KindBench bench(widgets(), settings);
  const auto w = Widget{.limit = 0, .status = ledger(1, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{.name = "a"}.object(), Ticket{.name = "b"}.object()}, .pods = {}});
  const auto write = bench.only();
  EXPECT_THAT(body(write)["status"]["conditions"], SizeIs(1));
  EXPECT_EQ(body(write)["status"]["conditions"][0]["reason"], "TooManyClaims");
  bench.answer(write, patched(w, write.request.body, 120));
  for (const auto& one : bench.work_within(seconds{10})) EXPECT_NE(about(one), "PATCH widgets/w/status");
}

TEST(KindMachine, looks_less_often_at_many_claims_and_does_not_spin_meanwhile) {
  KindBench bench;
  std::vector<json> tickets;
  for (int i = 0; i < 1000; ++i) tickets.push_back(Ticket{.name = "t" + std::to_string(i)}.object());
  const auto w = Widget{.limit = 0, .status = ledger(1, "100")}.object();
  bench.start({.widgets = {w}, .tickets = tickets, .pods = {}});
  const auto write = bench.only();
  bench.answer(write, patched(w, write.request.body, 200));
  const auto decided = bench.machine.counters().decisions;
  for (std::uint64_t i = 0; i < 100; ++i) {
    bench.ticket(Ticket{.name = "more" + std::to_string(i), .rv = 300 + i}.object());
    EXPECT_THAT(bench.work(), IsEmpty());
    ASSERT_TRUE(bench.machine.wake_at());
    ASSERT_GT(*bench.machine.wake_at(), bench.now.mono);
    bench.pass(std::chrono::microseconds{1});
  }
  EXPECT_EQ(bench.machine.counters().decisions, decided);
  bench.pass(milliseconds{1});
  EXPECT_THAT(bench.work(), IsEmpty());
  EXPECT_EQ(bench.machine.counters().decisions, decided + 1);
  EXPECT_EQ(bench.machine.counters().waiting, 1100U);
}

TEST(KindMachine, serves_all_primitives_in_turn_where_there_is_little_room) {
  runtime::KindSettings settings;
  settings.parallel = 1;
  KindBench bench(widgets(), settings);
  std::vector<json> objects;
  std::map<std::string, json> stored;
  for (const char* name : {"w1", "w2", "w3"}) {
    objects.push_back(Widget{.name = name, .uid = name, .limit = 9, .status = ledger(1, "100")}.object());
    stored[name] = objects.back();
  }
  bench.start({.widgets = objects, .tickets = {}, .pods = {}});
  std::uint64_t rv = 200;
  std::set<std::string> served;
  for (int i = 0; i < 6; ++i) {
    // The first in the alphabet always has something new.
    bench.ticket(Ticket{.name = "t" + std::to_string(i), .rv = ++rv, .widget = "w1"}.object());
    const auto sent = bench.work();
    ASSERT_LE(bench.machine.counters().in_flight, 1U);
    for (const auto& one : sent) {
      served.insert(about(one));
      if (const auto name = about(one).substr(14, 2); stored.contains(name)) {
        stored[name] = patched(stored[name], one.request.body, ++rv);
        bench.answer(one, stored[name]);
      } else {
        bench.refuse(one, 503, "ServiceUnavailable");
      }
    }
  }
  EXPECT_TRUE(served.contains("PATCH widgets/w2/status"));
  EXPECT_TRUE(served.contains("PATCH widgets/w3/status"));
}

}  // namespace
}  // namespace konductor::test
