#include "tests/support/kind_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// One ticket of one widget whose first grants are long ago, recorded but not told.
struct Recorded : testing::Test {
  KindBench bench;
  json w = Widget{.status = ledger(7000, "100")}.object();
  json a = Ticket{}.object();
  runtime::Outgoing record;

  void SetUp() override {
    bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
    record = bench.only();
    ASSERT_THAT(pending_of(record), ElementsAre("ns/a"));
  }
};

struct KindMachineTell : Recorded {
  runtime::Outgoing tell;

  void SetUp() override {
    Recorded::SetUp();
    w = patched(w, record.request.body, 120);
    bench.answer(record, w);
    tell = bench.only();
    ASSERT_EQ(about(tell), "PATCH tickets/a/status");
  }
};

using KindMachineRecord = Recorded;

TEST_F(KindMachineRecord, is_read_and_decided_again_after_a_conflict) {
  bench.conflict(record);
  const auto get = bench.only();
  EXPECT_EQ(about(get), "GET widgets/w");
  EXPECT_THAT(bench.work(), IsEmpty()) << "no decision on what is known to be old";
  const auto changed = Widget{.rv = 130, .limit = 0, .status = ledger(7000, "100")}.object();
  bench.answer(get, changed);
  const auto write = bench.only();
  EXPECT_THAT(pending_of(write), IsEmpty()) << "the limit is 0 now";
  EXPECT_EQ(body(write)["metadata"]["resourceVersion"], "130");
}

TEST_F(KindMachineRecord, that_was_lost_but_committed_is_told_with_its_token) {
  const auto token = body(record)["status"]["ledger"]["lastToken"];
  bench.lose(record);
  const auto get = bench.work_within(seconds{1});
  ASSERT_THAT(about(get), ElementsAre("GET widgets/w"));
  bench.answer(get[0], patched(w, record.request.body, 120));
  const auto tell = bench.only();
  EXPECT_EQ(about(tell), "PATCH tickets/a/status");
  EXPECT_EQ(body(tell)["status"]["token"], token);
}

TEST_F(KindMachineRecord, that_was_lost_and_not_committed_is_made_again) {
  bench.lose(record);
  const auto get = bench.work_within(seconds{1});
  ASSERT_THAT(about(get), ElementsAre("GET widgets/w"));
  bench.answer(get[0], w);
  const auto again = bench.only();
  EXPECT_EQ(body(again)["metadata"], body(record)["metadata"]);
  EXPECT_EQ(body(again)["status"]["ledger"], body(record)["status"]["ledger"]);
}

TEST_F(KindMachineRecord, shown_by_the_watch_before_its_answer_is_told_once) {
  const auto committed = patched(w, record.request.body, 120);
  bench.widget(committed);
  const auto tell = bench.only();
  EXPECT_EQ(about(tell), "PATCH tickets/a/status");
  bench.answer(record, committed);
  EXPECT_THAT(about(bench.work()), IsEmpty());
}

TEST_F(KindMachineRecord, retries_a_refused_one_slowly) {
  bench.refuse(record, 422, "Invalid", "status.ledger.pending[0].uid: Invalid value");
  EXPECT_THAT(bench.work_within(milliseconds{4900}), IsEmpty());
  EXPECT_THAT(about(bench.work_within(milliseconds{200})), ElementsAre("GET widgets/w"));
  EXPECT_EQ(bench.machine.counters().conflicts, 0U);
}

TEST_F(KindMachineRecord, of_a_deleted_primitive_ends_with_it) {
  bench.not_found(record);
  const auto get = bench.only();
  EXPECT_EQ(about(get), "GET widgets/w");
  bench.not_found(get);
  const auto said = bench.work_within(seconds{10});
  ASSERT_THAT(about(said), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(said[0])["status"]["conditions"][0]["reason"], "WidgetNotFound");
}

TEST_F(KindMachineRecord, answered_after_the_watch_told_the_end_of_its_primitive_revives_nothing) {
  const auto committed = patched(w, record.request.body, 120);
  bench.widget_gone(patched(committed, "{}", 121));
  bench.answer(record, committed);
  const auto get = bench.work_within(seconds{10});
  ASSERT_THAT(about(get), ElementsAre("GET widgets/w"));
  bench.not_found(get[0]);
  const auto said = bench.work();
  ASSERT_THAT(about(said), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(said[0])["status"]["phase"], "Pending");
  EXPECT_EQ(bench.machine.counters().primitives, 0U);
}

TEST_F(KindMachineRecord, grants_nothing_where_the_server_prunes_the_ledger) {
  auto pruned = patched(w, record.request.body, 120);
  pruned["status"].erase("ledger");
  bench.answer(record, pruned);
  const auto write = bench.only();
  EXPECT_THAT(pending_of(write), ElementsAre("no ledger"));
  EXPECT_EQ(body(write)["status"]["conditions"][0]["reason"], "LedgerNotStored");
  bench.answer(write, patched(pruned, write.request.body, 121));
  bench.ticket(Ticket{.name = "b", .rv = 130}.object());
  for (int i = 0; i < 5; ++i) {
    const auto again = bench.work_within(seconds{10});
    ASSERT_THAT(about(again), ElementsAre("PATCH widgets/w/status")) << i;
    EXPECT_THAT(pending_of(again[0]), IsEmpty()) << "tried, and nobody is granted anything";
    bench.answer(again[0], pruned);
  }
}

TEST_F(KindMachineTell, waits_for_a_newer_claim_after_a_conflict) {
  const auto token = body(tell)["status"]["token"];
  bench.conflict(tell);
  EXPECT_THAT(bench.work_within(seconds{4}), IsEmpty()) << "nothing new is known of the claim";
  bench.ticket(Ticket{.rv = 125, .renewed = "2024-01-01T00:00:00.000001Z"}.object());
  const auto again = bench.only();
  EXPECT_EQ(body(again)["metadata"]["resourceVersion"], "125");
  EXPECT_EQ(body(again)["status"]["token"], token);
}

TEST_F(KindMachineTell, is_tried_again_in_the_end_where_a_conflict_was_none) {
  bench.conflict(tell);
  EXPECT_THAT(about(bench.work_within(seconds{6})), ElementsAre("PATCH tickets/a/status"));
}

TEST_F(KindMachineTell, never_writes_over_a_terminal_phase) {
  bench.conflict(tell);
  bench.ticket(Ticket{.rv = 125, .status = {{"phase", "Denied"}}}.object());
  const auto sent = bench.work();
  for (const auto& one : sent) EXPECT_NE(about(one), "PATCH tickets/a/status");
}

TEST_F(KindMachineTell, that_was_lost_is_repeated_on_the_same_claim) {
  bench.lose(tell);
  EXPECT_THAT(bench.work(), IsEmpty()) << "not at once";
  const auto again = bench.work_within(seconds{1});
  ASSERT_THAT(about(again), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(again[0])["metadata"], body(tell)["metadata"]);
  EXPECT_EQ(body(again[0])["status"]["token"], body(tell)["status"]["token"]);
  // It had been executed.
  bench.conflict(again[0]);
  bench.ticket(patched(a, tell.request.body, 121));
  EXPECT_THAT(bench.work_within(minutes{5}), IsEmpty());
  EXPECT_EQ(bench.machine.counters().holding, 1U);
}

TEST_F(KindMachineTell, frees_the_place_of_a_claim_that_is_gone) {
  bench.not_found(tell);
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.ticket(Ticket{.name = "b", .rv = 130}.object());
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/b"));
}

TEST_F(KindMachineTell, answered_after_the_watch_told_the_end_of_the_claim_holds_nothing) {
  const auto told = patched(a, tell.request.body, 121);
  bench.ticket(told);
  bench.ticket_gone(told, 122);
  bench.answer(tell, told);
  bench.ticket(Ticket{.name = "b", .rv = 130}.object());
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/b"));
  EXPECT_EQ(bench.machine.counters().claims, 1U);
}

TEST_F(KindMachineTell, that_finds_nothing_frees_the_place_once_the_view_shows_it) {
  // The claim was changed by us at 119, ahead of the view; its end comes later, while the view still is behind.
  KindBench late;
  const auto w9 = Widget{.status = ledger(7000, "100", {{.name = "a", .token = 7000, .rv = "119"}})}.object();
  const auto b = Ticket{.name = "b", .created_s = 2001}.object();
  late.start({.widgets = {w9}, .tickets = {a, b}, .pods = {}});
  auto sent = late.work();
  ASSERT_THAT(about(sent), testing::Contains("PATCH tickets/a/status"));
  for (const auto& one : sent) {
    if (about(one) == "PATCH tickets/a/status")
      late.not_found(one);
    else
      late.answer(one, patched(w9, one.request.body, 125));
  }
  for (const auto& one : late.work()) EXPECT_THAT(pending_of(one), testing::Not(testing::Contains("ns/b")));
  late.ticket_gone(a, 120);
  EXPECT_THAT(pending_of(late.only()), ElementsAre("ns/b"));
}

TEST(KindMachineRestart, tells_what_was_recorded_and_grants_no_more) {
  KindBench bench;
  const auto w = Widget{.status = ledger(100009, "100", {{.name = "b", .token = 100009}})}.object();
  const auto a = Ticket{.name = "a"}.object();
  const auto b = Ticket{.name = "b", .created_s = 2001}.object();
  bench.start({.widgets = {w}, .tickets = {a, b}, .pods = {}});
  const auto sent = bench.work();
  ASSERT_THAT(about(sent), UnorderedElementsAre("PATCH tickets/b/status", "PATCH widgets/w/status"));
  for (const auto& one : sent) {
    if (about(one) == "PATCH tickets/b/status") {
      EXPECT_EQ(body(one)["status"]["token"], 100009);
    } else {
      EXPECT_THAT(pending_of(one), ElementsAre("ns/b")) << "the limit of 1 is taken by b";
      EXPECT_EQ(body(one)["status"]["inUse"], 1);
    }
  }
}

TEST(KindMachineRestart, counts_what_the_claims_say_when_nothing_is_pending) {
  KindBench bench;
  const auto w = Widget{.limit = 2, .status = ledger(100009, "108")}.object();
  bench.start({.widgets = {w},
               .tickets = {Ticket{.name = "h", .rv = 108, .status = granted(100009, 2)}.object(), Ticket{}.object()},
               .pods = {}});
  const auto write = bench.only();
  EXPECT_THAT(pending_of(write), IsEmpty());
  EXPECT_EQ(body(write)["status"]["inUse"], 2);
}

TEST(KindMachineView, older_than_seen_is_waited_for_and_then_replaced_by_one_consistent_list) {
  KindBench bench;
  const auto w = Widget{.rv = 200, .status = ledger(100009, "150")}.object();
  const auto a = Ticket{}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
  EXPECT_THAT(bench.work(), IsEmpty());
  EXPECT_THAT(bench.work_within(milliseconds{99}), IsEmpty());
  const auto lists = bench.work_within(milliseconds{1});
  ASSERT_THAT(about(lists), ElementsAre("LIST tickets"));
  EXPECT_THAT(lists[0].request.target, HasSubstr("fieldSelector=spec.widget%3Dw"));
  EXPECT_THAT(lists[0].request.target, testing::Not(HasSubstr("resourceVersion")));
  EXPECT_THAT(bench.work_within(seconds{1}), IsEmpty()) << "one list is enough";

  const auto held = Ticket{.name = "h", .rv = 150, .status = granted(100009)}.object();
  bench.answer(lists[0], {{"metadata", {{"resourceVersion", "160"}}}, {"items", {a, held}}});
  const auto sent = bench.work();
  ASSERT_THAT(about(sent), ElementsAre("PATCH widgets/w/status", "PATCH tickets/a/status"));
  EXPECT_THAT(pending_of(sent[0]), IsEmpty()) << "what the old view lacked takes the limit";
  EXPECT_EQ(body(sent[0])["status"]["inUse"], 1);
  EXPECT_EQ(body(sent[1])["status"]["phase"], "Pending");
}

TEST(KindMachineView, that_catches_up_needs_no_list) {
  KindBench bench;
  const auto w = Widget{.rv = 200, .status = ledger(100009, "150")}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{}.object()}, .pods = {}});
  EXPECT_THAT(bench.work_within(milliseconds{50}), IsEmpty());
  bench.tickets_until(150);
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/a"));
}

TEST(KindMachineView, is_not_complete_because_of_a_malformed_claim_in_an_unfinished_list) {
  KindBench bench;
  bench.start({.widgets = {Widget{.rv = 200, .status = ledger(100009, "150")}.object()}, .tickets = {}, .pods = {}});
  bench.machine.on_claim({runtime::ViewEvent::Kind::begin, nullptr, {}, {}}, bench.now);
  bench.ticket(Ticket{.name = "bad", .rv = 160, .widget = ""}.object());
  bench.ticket(Ticket{}.object());
  bench.machine.on_claim({runtime::ViewEvent::Kind::synced, nullptr, "140", {}}, bench.now);
  EXPECT_THAT(bench.work_within(milliseconds{50}), IsEmpty());
}

/// A bench at rest with one widget, whose last state it gives.
nlohmann::json settle(KindBench& bench) {
  const auto w = Widget{.status = ledger(9, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {}, .pods = {}});
  const auto shown = bench.only();
  const auto after = patched(w, shown.request.body, 111);
  bench.answer(shown, after);
  EXPECT_THAT(bench.work(), IsEmpty());
  return after;
}

TEST(KindMachineView, of_half_a_list_decides_nothing) {
  using Kind = runtime::ViewEvent::Kind;
  KindBench bench;
  settle(bench);
  bench.machine.on_claim({Kind::begin, nullptr, {}, {}}, bench.now);
  bench.ticket(Ticket{.rv = 120}.object());
  EXPECT_THAT(bench.work_within(seconds{1}), IsEmpty());
  EXPECT_FALSE(bench.machine.wake_at()) << "it would spin";
  // Who holds the one place comes later in the list: lists are in the order of names.
  bench.ticket(Ticket{.name = "b", .rv = 115, .status = granted(9)}.object());
  bench.machine.on_claim({Kind::synced, nullptr, "130", {}}, bench.now);
  const auto sent = bench.work();
  ASSERT_THAT(about(sent), ElementsAre("PATCH widgets/w/status", "PATCH tickets/a/status"));
  EXPECT_THAT(pending_of(sent[0]), IsEmpty());
  EXPECT_EQ(body(sent[0])["status"]["inUse"], 1);
  EXPECT_EQ(body(sent[1])["status"]["phase"], "Pending");
}

TEST(KindMachineView, of_half_a_list_of_primitives_decides_nothing) {
  using Kind = runtime::ViewEvent::Kind;
  KindBench bench;
  const auto w = settle(bench);
  bench.machine.on_primitive({Kind::begin, nullptr, {}, {}}, bench.now);
  bench.ticket(Ticket{.rv = 120}.object());
  EXPECT_THAT(bench.work_within(seconds{1}), IsEmpty());
  bench.widget(w);
  bench.machine.on_primitive({Kind::synced, nullptr, "130", {}}, bench.now);
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/a"));
}

TEST(KindMachineView, with_a_list_that_cannot_be_compared_fails_closed_and_does_not_spin) {
  KindBench bench;
  bench.start({.widgets = {Widget{.rv = 200, .status = ledger(9, "x150")}.object()},
               .tickets = {Ticket{}.object()},
               .pods = {}});
  const auto lists = bench.work_within(seconds{1});
  ASSERT_THAT(about(lists), ElementsAre("LIST tickets"));
  bench.answer(lists[0], {{"metadata", {{"resourceVersion", "x160"}}}, {"items", {Ticket{}.object()}}});
  EXPECT_THAT(bench.work_within(seconds{4}), IsEmpty());
}

TEST(KindMachineLedger, that_cannot_be_read_is_shown_and_left_alone) {
  KindBench bench;
  const auto w = Widget{.status = {{"ledger", {{"seen", "100"}}}}}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{}.object()}, .pods = {}});
  const auto write = bench.only();
  EXPECT_THAT(pending_of(write), ElementsAre("no ledger"));
  EXPECT_EQ(body(write)["status"]["conditions"][0]["reason"], "LedgerUnreadable");
  EXPECT_EQ(body(write)["status"]["conditions"][0]["status"], "False");
  bench.answer(write, patched(w, write.request.body, 120));
  EXPECT_THAT(bench.work_within(minutes{9}), IsEmpty());
}

TEST(KindMachineStandby, sends_nothing_and_keeps_its_clocks_warm) {
  KindBench bench;
  bench.start({.widgets = {Widget{.status = ledger(9, "100")}.object()},
               .tickets = {Ticket{.status = granted(9, 1, "60s")}.object()},
               .pods = {}});
  bench.machine.lead(false, bench.now);
  EXPECT_THAT(bench.work(), IsEmpty());
  EXPECT_FALSE(bench.machine.wake_at());
  bench.pass(seconds{61});
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.machine.lead(true, bench.now);
  EXPECT_THAT(about(bench.work()), testing::Contains("PATCH tickets/a/status")) << "its TTL was over long ago";
}

TEST(KindMachineStart, withholds_grants_and_tells_after_a_restore) {
  runtime::KindSettings settings;
  settings.withhold_grants = minutes{1};
  KindBench bench(widgets(), settings);
  const auto w = Widget{.limit = 2, .status = ledger(9, "100", {{.name = "b", .token = 9}})}.object();
  bench.start(
      {.widgets = {w}, .tickets = {Ticket{}.object(), Ticket{.name = "b", .wait = false}.object()}, .pods = {}});
  const auto write = bench.only();
  EXPECT_THAT(pending_of(write), ElementsAre("ns/b"));
  auto stored = patched(w, write.request.body, 120);
  bench.answer(write, stored);
  const auto why = bench.work_within(seconds{59});
  ASSERT_THAT(about(why), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(why[0])["status"]["phase"], "Pending");
  bench.answer(why[0], patched(Ticket{}.object(), why[0].request.body, 121));
  const auto late = bench.work_within(seconds{60});
  EXPECT_THAT(about(late), UnorderedElementsAre("PATCH tickets/b/status", "PATCH widgets/w/status"));
}

}  // namespace
}  // namespace konductor::test
