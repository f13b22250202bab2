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
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

/// A widget whose status shows all that there is to show, so that only what a test changes is written.
json settled_widget(std::int64_t in_use, std::int64_t waiting, std::vector<std::string> holders = {}) {
  auto w = Widget{.limit = in_use, .status = ledger(9, "100")}.object();
  auto& status = w["status"];
  status["inUse"] = in_use;
  status["waiting"] = waiting;
  status["observedGeneration"] = 1;
  status["holders"] = json::array();
  for (const auto& name : holders)
    status["holders"].push_back(
        {{"name", "ns/" + name}, {"holder", "holder-" + name}, {"units", 1}, {"since", "1970-01-01T00:50:00Z"}});
  status["conditions"] = {{{"type", "Ready"},
                           {"status", "True"},
                           {"reason", "Serving"},
                           {"message", "serves"},
                           {"observedGeneration", 1},
                           {"lastTransitionTime", "2024-01-01T00:00:00Z"}}};
  return w;
}

TEST(KindMachineTtl, ends_a_grant_on_time_and_not_before) {
  KindBench bench;
  const auto a = Ticket{.status = granted(9, 1, "60s")}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {}});
  EXPECT_THAT(about(bench.work_within(milliseconds{59'999})), IsEmpty());
  const auto end = bench.work_within(milliseconds{1});
  ASSERT_THAT(about(end), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(end[0])["status"]["phase"], "Expired");
  EXPECT_EQ(body(end[0])["status"]["conditions"][0]["reason"], "TTLExpired");
  EXPECT_EQ(body(end[0])["metadata"], json({{"resourceVersion", "105"}, {"uid", "uid-a"}}));
}

TEST(KindMachineTtl, starts_again_with_a_renewal_just_before_its_end) {
  KindBench bench;
  const auto held = granted(9, 1, "60s");
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {Ticket{.status = held}.object()}, .pods = {}});
  EXPECT_THAT(bench.work_within(milliseconds{59'999}), IsEmpty());
  bench.ticket(Ticket{.rv = 120, .renewed = "2024-01-01T00:00:59.000000Z", .status = held}.object());
  EXPECT_THAT(about(bench.work_within(milliseconds{59'999})), IsEmpty());
  EXPECT_THAT(about(bench.work_within(milliseconds{1})), ElementsAre("PATCH tickets/a/status"));
}

TEST(KindMachineTtl, of_a_grant_is_not_shortened_by_the_primitive) {
  KindBench bench;
  auto w = settled_widget(1, 0, {"a"});
  bench.start({.widgets = {w}, .tickets = {Ticket{.status = granted(9, 1, "60s")}.object()}, .pods = {}});
  EXPECT_THAT(bench.work_within(seconds{10}), IsEmpty());
  w["spec"]["ttl"] = "5s";
  bench.widget(patched(w, "{}", 130));
  EXPECT_THAT(about(bench.work_within(seconds{49})), IsEmpty());
}

TEST(KindMachineTtl, of_a_revoked_claim_is_not_extended_by_a_renewal) {
  KindBench bench;
  auto held = granted(9, 1, "60s");
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {Ticket{.status = held}.object()}, .pods = {}});
  EXPECT_THAT(bench.work_within(seconds{30}), IsEmpty());
  held["phase"] = "Revoking";
  bench.ticket(Ticket{.rv = 120, .status = held}.object());
  bench.ticket(Ticket{.rv = 121, .renewed = "2024-01-01T00:00:30.000000Z", .status = held}.object());
  EXPECT_THAT(about(bench.work_within(milliseconds{29'999})), IsEmpty());
  EXPECT_THAT(about(bench.work_within(milliseconds{1})), ElementsAre("PATCH tickets/a/status"));
}

TEST(KindMachineTtl, ends_a_claim_whose_deletion_somebody_holds_up) {
  KindBench bench;
  const auto a = Ticket{.status = granted(9, 1, "60s"), .deleting = true}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {}});
  EXPECT_THAT(about(bench.work_within(seconds{60})), ElementsAre("PATCH tickets/a/status"));
}

struct KindMachineOrphan : testing::Test {
  /// The widget is not there, says the server when it is asked.
  std::vector<runtime::Outgoing> answered(const json& ticket) {
    bench.start({.widgets = {}, .tickets = {ticket}, .pods = {}});
    EXPECT_THAT(about(bench.work_within(milliseconds{249})), IsEmpty()) << "the primitives' watch may be behind";
    const auto asked = bench.work_within(milliseconds{1});
    EXPECT_THAT(about(asked), ElementsAre("GET widgets/w"));
    if (asked.size() == 1) bench.not_found(asked[0]);
    return bench.work();
  }
  KindBench bench;
};

TEST_F(KindMachineOrphan, is_told_once_that_there_is_no_such_primitive_and_ends_with_its_time) {
  const auto a = Ticket{.ttl = "60s"}.object();
  const auto told = answered(a);
  ASSERT_THAT(about(told), ElementsAre("PATCH tickets/a/status"));
  const auto status = body(told[0])["status"];
  EXPECT_EQ(status["phase"], "Pending");
  EXPECT_FALSE(status.contains("primitiveUID")) << "a mark of nobody would hide one that counts";
  EXPECT_EQ(status["conditions"][0]["reason"], "WidgetNotFound");
  EXPECT_EQ(status["conditions"][0]["message"], "there is no widget ns/w");
  bench.answer(told[0], patched(a, told[0].request.body, 120));
  EXPECT_THAT(about(bench.work_within(milliseconds{59'749})), IsEmpty()) << "said once";
  const auto ended = bench.work_within(milliseconds{1});
  ASSERT_THAT(about(ended), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(ended[0])["status"]["phase"], "Expired");
}

TEST_F(KindMachineOrphan, that_does_not_wait_is_denied) {
  const auto denied = answered(Ticket{.wait = false}.object());
  ASSERT_THAT(about(denied), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(denied[0])["status"]["phase"], "Denied");
  EXPECT_EQ(body(denied[0])["status"]["conditions"][0]["reason"], "WidgetNotFound");
}

TEST_F(KindMachineOrphan, is_served_when_its_primitive_appears) {
  const auto a = Ticket{}.object();
  const auto told = answered(a);
  ASSERT_THAT(about(told), ElementsAre("PATCH tickets/a/status"));
  const auto known = patched(a, told[0].request.body, 120);
  bench.answer(told[0], known);
  bench.ticket(known);
  bench.widget(Widget{.rv = 130, .created_s = 2999}.object());
  EXPECT_THAT(about(bench.work()), Contains("PATCH widgets/w/status"));
}

TEST_F(KindMachineOrphan, whose_primitive_only_the_view_does_not_show_is_served) {
  bench.start({.widgets = {}, .tickets = {Ticket{.wait = false}.object()}, .pods = {}});
  const auto asked = bench.work_within(milliseconds{250});
  ASSERT_THAT(about(asked), ElementsAre("GET widgets/w"));
  bench.answer(asked[0], Widget{.status = ledger(9, "100")}.object());
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/a"));
}

TEST_F(KindMachineOrphan, is_told_nothing_while_nobody_can_look) {
  bench.start({.widgets = {}, .tickets = {Ticket{.wait = false}.object()}, .pods = {}});
  for (int i = 0; i < 3; ++i) {
    const auto asked = bench.work_within(seconds{10});
    ASSERT_THAT(about(asked), ElementsAre("GET widgets/w")) << i;
    bench.refuse(asked[0], 403, "Forbidden");
    EXPECT_THAT(about(bench.work_within(seconds{4})), IsEmpty());
  }
}

TEST_F(KindMachineOrphan, that_came_later_is_not_judged_by_what_was_asked_before) {
  const auto a = Ticket{}.object();
  const auto told = answered(a);
  bench.answer(told.at(0), patched(a, told.at(0).request.body, 120));
  bench.pass(milliseconds{1});
  bench.ticket(Ticket{.name = "b", .rv = 130}.object());
  EXPECT_THAT(about(bench.work_within(milliseconds{300})), ElementsAre("GET widgets/w"));
}

TEST(KindMachineTtl, holds_too_where_claims_go_with_their_primitive) {
  auto kind = widgets();
  kind.claim_lifetime = runtime::Lifetime::with_primitive;
  KindBench bench(kind);
  const auto a = Ticket{.pod = "u", .status = granted(9, 1, "60s")}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {}});
  EXPECT_THAT(about(bench.work_within(seconds{59})), IsEmpty()) << "its Pod does not matter";
  EXPECT_THAT(about(bench.work_within(seconds{1})), ElementsAre("PATCH tickets/a/status"));
}

TEST(KindMachinePods, that_are_gone_free_their_claims_once_a_get_confirms_it) {
  KindBench bench;
  const auto a = Ticket{.pod = "u", .status = granted(9)}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {"u"}});
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.pod_gone("u", 130);
  const auto question = bench.only();
  EXPECT_EQ(about(question), "GET pods/pod-u");
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.not_found(question);
  const auto end = bench.only();
  EXPECT_EQ(body(end)["status"]["phase"], "Expired");
  EXPECT_EQ(body(end)["status"]["conditions"][0]["reason"], "PodGone");
}

TEST(KindMachinePods, free_the_claims_of_every_primitive_with_one_question) {
  KindBench bench;
  auto w1 = settled_widget(1, 0, {"a"});
  auto w2 = settled_widget(1, 0, {"b"});
  w2["metadata"]["name"] = "v";
  w2["metadata"]["uid"] = "v-1";
  bench.start({.widgets = {w1, w2},
               .tickets = {Ticket{.pod = "u", .status = granted(9)}.object(),
                           Ticket{.name = "b", .widget = "v", .pod = "u", .status = granted(9)}.object()},
               .pods = {"u"}});
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.pod_gone("u", 130);
  bench.not_found(bench.only());
  EXPECT_THAT(about(bench.work()), UnorderedElementsAre("PATCH tickets/a/status", "PATCH tickets/b/status"));
}

TEST(KindMachinePods, that_finished_or_have_another_uid_free_their_claims) {
  for (const auto& answer : {pod("u", 131, "Succeeded"), pod("u", 131, "Failed"), pod("other", 131, "Running")}) {
    KindBench bench;
    const auto a = Ticket{.pod = "u", .status = granted(9)}.object();
    bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {}});
    const auto question = bench.only();
    bench.answer(question, answer);
    EXPECT_EQ(body(bench.only())["status"]["phase"], "Expired") << answer;
  }
}

TEST(KindMachinePods, that_a_get_finds_alive_keep_their_claims) {
  KindBench bench;
  const auto a = Ticket{.pod = "u", .status = granted(9)}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {}});
  bench.answer(bench.only(), pod("u", 500, "Running"));
  EXPECT_THAT(about(bench.work_within(minutes{9})), IsEmpty()) << "the watch is behind that answer";
}

TEST(KindMachinePods, of_a_name_that_no_pod_can_have_are_gone_without_a_question) {
  for (const char* name : {"pod-u/log", "", "..", "Pod"}) {
    KindBench bench;
    auto a = Ticket{.pod = "u", .status = granted(9)}.object();
    a["spec"]["pod"]["name"] = name;
    bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {}});
    const auto end = bench.only();
    ASSERT_EQ(about(end), "PATCH tickets/a/status") << name;
    EXPECT_EQ(body(end)["status"]["conditions"][0]["reason"], "PodGone");
  }
}

TEST(KindMachinePods, of_whom_one_claim_says_an_impossible_name_are_asked_about_for_the_others) {
  KindBench bench;
  auto bad = Ticket{.name = "bad", .pod = "u", .status = granted(8)}.object();
  bad["spec"]["pod"]["name"] = "pod-u/log";
  const auto a = Ticket{.pod = "u", .status = granted(9)}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {bad, a}, .pods = {}});
  EXPECT_THAT(about(bench.work()),
              UnorderedElementsAre("PATCH tickets/bad/status", "GET pods/pod-u", "PATCH widgets/w/status"));
}

TEST(KindMachinePods, are_asked_again_later_where_the_server_cannot_say) {
  KindBench bench;
  const auto a = Ticket{.pod = "u", .status = granted(9)}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {}});
  bench.refuse(bench.only(), 503, "ServiceUnavailable");
  EXPECT_THAT(bench.work(), IsEmpty());
  EXPECT_THAT(about(bench.work_within(seconds{1})), ElementsAre("GET pods/pod-u"));
}

TEST(KindMachinePods, missing_from_a_new_list_are_asked_about) {
  KindBench bench;
  const auto a = Ticket{.pod = "u", .status = granted(9)}.object();
  bench.start({.widgets = {settled_widget(1, 0, {"a"})}, .tickets = {a}, .pods = {"u"}});
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.machine.on_pod({runtime::ViewEvent::Kind::begin, nullptr, {}, {}}, bench.now);
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.machine.on_pod({runtime::ViewEvent::Kind::synced, nullptr, "200", {}}, bench.now);
  EXPECT_EQ(about(bench.only()), "GET pods/pod-u");
}

TEST(KindMachineRemoval, deletes_a_terminal_claim_after_its_time_and_exactly_that_one) {
  KindBench bench;
  const auto a = Ticket{.status = {{"phase", "Expired"}}}.object();
  bench.start({.widgets = {settled_widget(0, 0)}, .tickets = {a}, .pods = {}});
  EXPECT_THAT(about(bench.work_within(seconds{599})), IsEmpty());
  const auto removal = bench.work_within(seconds{1});
  ASSERT_THAT(about(removal), ElementsAre("DELETE tickets/a"));
  EXPECT_EQ(body(removal[0])["preconditions"], json({{"uid", "uid-a"}, {"resourceVersion", "105"}}));
  bench.answer(removal[0], {{"kind", "Status"}, {"status", "Success"}});
  EXPECT_EQ(bench.machine.counters().claims, 0U);
  EXPECT_THAT(bench.work_within(minutes{20}), IsEmpty());
}

TEST(KindMachineErrors, of_a_decision_become_a_condition_and_stop_nobody_else) {
  KindBench bench;
  const auto bad = Widget{.name = "bad", .uid = "bad", .limit = -1, .status = ledger(9, "100")}.object();
  const auto good = Widget{.status = ledger(9, "100")}.object();
  bench.start({.widgets = {bad, good},
               .tickets = {Ticket{}.object(), Ticket{.name = "x", .widget = "bad"}.object()},
               .pods = {}});
  const auto sent = bench.work();
  ASSERT_THAT(about(sent), ElementsAre("PATCH widgets/bad/status", "PATCH widgets/w/status"));
  const auto condition = body(sent[0])["status"]["conditions"][0];
  EXPECT_EQ(condition["type"], "Ready");
  EXPECT_EQ(condition["status"], "False");
  EXPECT_EQ(condition["reason"], "InvalidSpec");
  EXPECT_EQ(condition["message"], "spec.limit must not be negative");
  EXPECT_THAT(pending_of(sent[0]), IsEmpty());
  EXPECT_THAT(pending_of(sent[1]), ElementsAre("ns/a"));
  bench.answer(sent[0], patched(bad, sent[0].request.body, 120));
  bench.answer(sent[1], patched(good, sent[1].request.body, 121));
  EXPECT_THAT(about(bench.work()), ElementsAre("PATCH tickets/a/status"));
  EXPECT_THAT(about(bench.work_within(seconds{30})), Not(Contains("PATCH widgets/bad/status")));
}

TEST(KindMachineQuarantine, stops_grants_of_the_whole_kind_but_no_expiry) {
  KindBench bench;
  const auto bad = Widget{.name = "a-bad", .uid = "bad", .limit = -99, .status = ledger(9, "100")}.object();
  const auto w = settled_widget(1, 0, {"a"});
  bench.start({.widgets = {bad, w}, .tickets = {Ticket{.status = granted(9, 1, "60s")}.object()}, .pods = {}});
  auto sent = bench.work();
  ASSERT_THAT(about(sent), ElementsAre("PATCH widgets/a-bad/status", "PATCH widgets/w/status"));
  for (const auto& one : sent) {
    EXPECT_EQ(body(one)["status"]["conditions"][0]["reason"], "PluginQuarantined");
    bench.answer(one, patched(about(one) == "PATCH widgets/w/status" ? w : bad, one.request.body, 120));
  }
  EXPECT_TRUE(bench.machine.counters().quarantined);
  const auto decisions = bench.machine.counters().decisions;
  bench.ticket(Ticket{.name = "n", .rv = 130, .pod = "u"}.object());
  bench.machine.on_pod({runtime::ViewEvent::Kind::apply, std::make_shared<const json>(pod("u", 131)), "131", {}},
                       bench.now);
  EXPECT_THAT(about(bench.work_within(seconds{59})), IsEmpty());
  EXPECT_EQ(bench.machine.counters().decisions, decisions);
  EXPECT_THAT(about(bench.work_within(seconds{2})), ElementsAre("PATCH tickets/a/status"));
}

TEST(KindMachineCounted, writes_no_ledger_and_tells_nobody) {
  auto kind = widgets();
  kind.mode = runtime::Mode::counted;
  kind.claim_lifetime = runtime::Lifetime::with_primitive;
  kind.decide = [](const runtime::Observation& seen) -> Result<runtime::Plan> {
    runtime::Plan plan;
    plan.status = json{{"arrived", seen.claims.size()}}.dump();
    return plan;
  };
  KindBench bench(kind);
  const auto w = Widget{}.object();
  bench.start({.widgets = {w},
               .tickets = {Ticket{.created_s = 1000, .pod = "u"}.object(), Ticket{.name = "b"}.object()},
               .pods = {}});
  const auto write = bench.only();
  EXPECT_EQ(body(write)["status"]["arrived"], 2) << "also one of the same second: marks are of grants";
  EXPECT_THAT(pending_of(write), ElementsAre("no ledger"));
  bench.answer(write, patched(w, write.request.body, 120));
  EXPECT_THAT(about(bench.work_within(minutes{30})), IsEmpty());
}

TEST(KindMachineCounted, leaves_out_claims_of_a_former_life) {
  auto kind = widgets();
  kind.mode = runtime::Mode::counted;
  kind.claim_lifetime = runtime::Lifetime::with_primitive;
  kind.decide = [](const runtime::Observation& seen) -> Result<runtime::Plan> {
    runtime::Plan plan;
    plan.status = json{{"arrived", seen.claims.size()}}.dump();
    return plan;
  };
  const auto owned_by = [](const char* name, const char* uid) {
    auto ticket = Ticket{.name = name, .created_s = 1500}.object();
    ticket["metadata"]["ownerReferences"] = {
        {{"apiVersion", "sync.konductor.io/v1"}, {"kind", "Widget"}, {"name", "w"}, {"uid", uid}}};
    return ticket;
  };
  KindBench bench(kind);
  bench.start({.widgets = {Widget{.uid = "w-2", .created_s = 1500}.object()},
               .tickets = {Ticket{.name = "old", .created_s = 1499}.object(),
                           Ticket{.name = "ended", .created_s = 1499, .status = {{"phase", "Expired"}}}.object(),
                           Ticket{.name = "same", .created_s = 1500}.object(), owned_by("theirs", "w-1"),
                           owned_by("ours", "w-2")},
               .pods = {}});
  const auto sent = bench.work();
  ASSERT_THAT(about(sent), UnorderedElementsAre("PATCH tickets/old/status", "PATCH widgets/w/status"));
  for (const auto& out : sent) {
    if (about(out) == "PATCH widgets/w/status") {
      EXPECT_EQ(body(out)["status"]["arrived"], 2);
    }
  }
}

}  // namespace
}  // namespace konductor::test
