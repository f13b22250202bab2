// What the host makes of the rarer parts of a plan: revocations, needs, Events, kinds without claims.
#include "tests/support/kind_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

runtime::KindDeclaration decided_by(std::function<Result<runtime::Plan>(const runtime::Observation&)> decide) {
  auto kind = widgets();
  kind.decide = std::move(decide);
  return kind;
}

/// Tells every holder to stop, with a grace of 30 s.
runtime::KindDeclaration revoking() {
  return decided_by([](const runtime::Observation& seen) -> Result<runtime::Plan> {
    runtime::Plan plan;
    for (std::size_t i = 0; i < seen.claims.size(); ++i)
      if (seen.claims[i].state != runtime::ClaimState::waiting)
        plan.verdicts.push_back({i, runtime::VerdictKind::revoke, "Preempted", "somebody else is more urgent",
                                 runtime::Duration{seconds{30}} / runtime::Duration{1}});
    return plan;
  });
}

struct KindMachineRevocation : testing::Test {
  void SetUp() override {
    bench.start({.widgets = {Widget{.status = ledger(9, "100")}.object()}, .tickets = {held}, .pods = {}});
    const auto sent = bench.work();
    for (const auto& out : sent)
      if (about(out) == "PATCH tickets/a/status")
        told = out;
      else
        bench.answer(out, patched(Widget{.status = ledger(9, "100")}.object(), out.request.body, 119));
    ASSERT_EQ(about(told), "PATCH tickets/a/status") << testing::PrintToString(about(sent));
  }
  KindBench bench{revoking()};
  json held = Ticket{.ttl = "10m", .status = granted(9, 1, "10m")}.object();
  runtime::Outgoing told;
};

TEST_F(KindMachineRevocation, is_told_to_the_holder_who_keeps_its_place_for_its_grace) {
  const auto status = body(told)["status"];
  EXPECT_EQ(status["phase"], "Revoking");
  EXPECT_EQ(status["grace"], "30s");
  EXPECT_EQ(status["conditions"][0]["status"], "True") << "it still holds";
  EXPECT_EQ(status["conditions"][0]["reason"], "Preempted");
  EXPECT_EQ(status["conditions"][0]["message"], "somebody else is more urgent");
  EXPECT_EQ(body(told)["metadata"]["resourceVersion"], "105");
  bench.answer(told, patched(held, told.request.body, 120));
  EXPECT_THAT(about(bench.work_within(milliseconds{29'999})), IsEmpty()) << "told once";
  const auto ended = bench.work_within(milliseconds{1});
  ASSERT_THAT(about(ended), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(ended[0])["status"]["phase"], "Revoked");
  EXPECT_THAT(bench.events, ElementsAre("Ticket/a Warning Preempted: somebody else is more urgent"));
}

TEST_F(KindMachineRevocation, met_by_a_renewal_is_told_on_the_renewed_claim) {
  bench.conflict(told);
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.ticket(
      Ticket{.rv = 120, .ttl = "10m", .renewed = "2024-01-01T00:00:30.000000Z", .status = granted(9)}.object());
  EXPECT_EQ(body(bench.only())["metadata"]["resourceVersion"], "120");
}

TEST_F(KindMachineRevocation, begins_anew_for_an_operator_that_starts_in_the_middle) {
  KindBench successor(revoking());
  const auto known = patched(held, told.request.body, 120);
  successor.start(
      {.widgets = {Widget{.status = ledger(9, "100")}.object()}, .tickets = {known}, .pods = {}, .rv = 130});
  for (const auto& out : successor.work()) {
    ASSERT_EQ(about(out), "PATCH widgets/w/status");
    successor.answer(out, patched(Widget{.status = ledger(9, "100")}.object(), out.request.body, 131));
  }
  EXPECT_THAT(about(successor.work_within(milliseconds{29'999})), IsEmpty()) << "late perhaps, never early";
  EXPECT_THAT(about(successor.work_within(milliseconds{1})), ElementsAre("PATCH tickets/a/status"));
}

/// Serves who waits while the object named in spec.opener says that it is open.
runtime::KindDeclaration opened() {
  return decided_by([](const runtime::Observation& seen) -> Result<runtime::Plan> {
    runtime::Plan plan;
    plan.needs.push_back({"opener", "", "v1", "configmaps", "", "opener", "", {"data.open"}});
    const bool open = seen.observed.size() == 1 && seen.observed[0].json == R"({"data.open":"yes"})";
    for (std::size_t i = 0; i < seen.claims.size(); ++i)
      if (open && seen.claims[i].state == runtime::ClaimState::waiting)
        plan.verdicts.push_back({i, runtime::VerdictKind::grant, {}, {}, 0});
    plan.status = json{{"open", open}}.dump();
    return plan;
  });
}

json opener(const char* open) {
  return {{"metadata", {{"name", "opener"}, {"namespace", "ns"}, {"uid", "o"}, {"resourceVersion", "500"}}},
          {"data", {{"open", open}}}};
}

struct KindMachineNeed : testing::Test {
  void SetUp() override {
    bench.start({.widgets = {w}, .tickets = {}, .pods = {}});
    EXPECT_THAT(bench.machine.watch_targets(), IsEmpty());
    // The first ledger, and what is shown.
    for (int i = 0; i < 3; ++i)
      for (const auto& out : bench.work_within(seconds{1})) {
        w = patched(w, out.request.body, 120 + static_cast<std::uint64_t>(i));
        bench.answer(out, w);
      }
    ASSERT_THAT(bench.machine.watch_targets(), SizeIs(1));
    target = *bench.machine.watch_targets().begin();
  }
  KindBench bench{opened()};
  json w = Widget{}.object();
  runtime::WatchTarget target;
};

TEST_F(KindMachineNeed, is_watched_shown_and_decided_on_again) {
  EXPECT_EQ(target.resource.plural, "configmaps");
  EXPECT_EQ(target.ns, "ns");
  EXPECT_EQ(target.object_name, "opener");
  bench.ticket(Ticket{.rv = 200}.object());
  EXPECT_THAT(about(bench.work_within(milliseconds{200})), IsEmpty()) << "unsynced grants nothing";
  bench.observed(target, {opener("no")});
  const auto shown = bench.only();
  EXPECT_EQ(body(shown)["status"]["open"], false) << "and not before it was known";
  w = patched(w, shown.request.body, 210);
  bench.answer(shown, w);
  bench.observed(target, {opener("yes")});
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/a"));
}

TEST_F(KindMachineNeed, that_nobody_answers_holds_up_a_plan_for_a_while_only) {
  EXPECT_THAT(about(bench.work_within(seconds{1})), IsEmpty());
  const auto shown = bench.work_within(seconds{5});
  ASSERT_THAT(about(shown), ElementsAre("PATCH widgets/w/status"));
  EXPECT_EQ(body(shown[0])["status"]["open"], false);
}

TEST(KindMachineNeeds, that_are_others_each_time_do_not_spin) {
  int asked = 0;
  KindBench bench(decided_by([&asked](const runtime::Observation&) -> Result<runtime::Plan> {
    runtime::Plan plan;
    plan.needs.push_back({"x", "", "v1", "configmaps", "", "x" + std::to_string(++asked % 2), "", {}});
    plan.status = "{}";
    return plan;
  }));
  bench.start({.widgets = {Widget{.status = ledger(9, "100")}.object()}, .tickets = {}, .pods = {}});
  bench.work_within(seconds{4});
  EXPECT_LT(asked, 10);
}

TEST_F(KindMachineNeed, ends_with_its_primitive) {
  bench.widget_gone(patched(w, "{}", 300));
  bench.work();
  EXPECT_THAT(bench.machine.watch_targets(), IsEmpty());
}

TEST(KindMachineObserved, needs_no_claims_and_no_pods) {
  auto kind = opened();
  kind.mode = runtime::Mode::observed;
  kind.claim = {};
  KindBench bench(kind);
  using Event = runtime::ViewEvent;
  const auto w = Widget{}.object();
  bench.machine.on_primitive({Event::Kind::begin, nullptr, {}, {}}, bench.now);
  bench.machine.on_primitive({Event::Kind::apply, std::make_shared<const json>(w), "100", {}}, bench.now);
  bench.machine.on_primitive({Event::Kind::synced, nullptr, "110", {}}, bench.now);
  bench.machine.lead(true, bench.now);
  EXPECT_THAT(bench.work(), IsEmpty());
  ASSERT_THAT(bench.machine.watch_targets(), SizeIs(1));
  bench.observed(*bench.machine.watch_targets().begin(), {opener("yes")});
  const auto shown = bench.only();
  EXPECT_EQ(body(shown)["status"]["open"], true) << "never shown as closed in between";
  EXPECT_THAT(pending_of(shown), ElementsAre("no ledger"));
}

TEST(KindMachineEvents, tell_that_a_silent_holder_lost_its_place_on_it_and_on_its_primitive) {
  KindBench bench;
  const auto a = Ticket{.status = granted(9, 1, "60s")}.object();
  bench.start({.widgets = {Widget{.status = ledger(9, "100")}.object()}, .tickets = {a}, .pods = {}});
  for (const auto& out : bench.work())
    bench.answer(out, patched(Widget{.status = ledger(9, "100")}.object(), out.request.body, 119));
  const auto ended = bench.work_within(seconds{61});
  ASSERT_THAT(about(ended), ElementsAre("PATCH tickets/a/status"));
  EXPECT_THAT(bench.events, IsEmpty()) << "not before it is so";
  bench.answer(ended[0], patched(a, ended[0].request.body, 120));
  bench.work();
  EXPECT_THAT(bench.events,
              ElementsAre("Ticket/a Warning TTLExpired: not renewed for its time to live of 1m",
                          "Widget/w Warning TTLExpired: ns/a of holder-a: not renewed for its time to live of 1m"));
}

TEST(KindMachineEvents, tell_of_a_refusal_and_not_of_who_merely_was_not_served) {
  struct Case {
    std::int64_t units;
    std::vector<std::string> events;
  };
  for (const auto& [units, events] : {Case{1, {}}, Case{7, {"Ticket/b Warning ExceedsLimit: all are in use"}}}) {
    KindBench bench;
    const auto w = Widget{.status = ledger(9, "100")}.object();
    const auto b = Ticket{.name = "b", .units = units, .wait = false}.object();
    bench.start({.widgets = {w}, .tickets = {Ticket{.status = granted(9)}.object(), b}, .pods = {}});
    const auto sent = bench.work();
    ASSERT_THAT(about(sent), Contains("PATCH tickets/b/status"));
    for (const auto& out : sent) {
      const bool denial = about(out) == "PATCH tickets/b/status";
      if (denial) {
        EXPECT_EQ(body(out)["status"]["phase"], "Denied");
      }
      bench.answer(out, patched(denial ? b : w, out.request.body, 120));
    }
    bench.work();
    EXPECT_EQ(bench.events, events);
  }
}

TEST(KindMachineEvents, tell_that_a_primitive_is_not_ready_and_that_it_is_again) {
  KindBench bench;
  const auto bad = Widget{.limit = -1, .status = ledger(9, "100")}.object();
  bench.start({.widgets = {bad}, .tickets = {}, .pods = {}});
  const auto write = bench.only();
  const auto shown = patched(bad, write.request.body, 120);
  bench.answer(write, shown);
  EXPECT_THAT(bench.work(), IsEmpty());
  EXPECT_THAT(bench.events, ElementsAre("Widget/w Warning InvalidSpec: spec.limit must not be negative"));
  auto mended = patched(shown, R"({"spec": {"limit": 1}})", 130);
  bench.widget(mended);
  const auto again = bench.only();
  bench.answer(again, patched(mended, again.request.body, 131));
  bench.work();
  EXPECT_THAT(bench.events, SizeIs(2));
  EXPECT_THAT(bench.events.back(), HasSubstr("Widget/w Normal Serving"));
}

TEST(KindMachineLedger, that_was_not_stored_is_tried_again_until_the_server_keeps_it) {
  KindBench bench;
  auto w = Widget{.created_s = 1000}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{}.object()}, .pods = {}});
  const auto first = bench.only();
  auto pruned = patched(w, first.request.body, 120);
  pruned["status"].erase("ledger");
  bench.answer(first, pruned);
  const auto complaint = bench.only();
  EXPECT_EQ(body(complaint)["status"]["conditions"][0]["reason"], "LedgerNotStored");
  pruned = patched(pruned, complaint.request.body, 121);
  bench.answer(complaint, pruned);
  const auto again = bench.work_within(seconds{10});
  ASSERT_THAT(about(again), Contains("PATCH widgets/w/status"));
  for (const auto& out : again) {
    if (about(out) != "PATCH widgets/w/status") continue;
    EXPECT_THAT(pending_of(out), IsEmpty()) << "nobody is granted anything before it is known to be kept";
    bench.answer(out, patched(pruned, out.request.body, 130));
  }
  bench.tickets_until(200);
  const auto next = bench.work();
  ASSERT_THAT(about(next), Contains("PATCH widgets/w/status"));
  EXPECT_THAT(pending_of(next.at(0)), ElementsAre("ns/a"));
}

}  // namespace
}  // namespace konductor::test
