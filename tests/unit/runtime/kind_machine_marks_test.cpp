#include "tests/support/kind_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(KindMachineMarks, come_before_the_first_grant_for_all_who_are_not_strictly_newer) {
  KindBench bench;
  const auto w = Widget{.created_s = 2000}.object();
  const auto old = Ticket{.name = "old", .created_s = 1999}.object();
  const auto same = Ticket{.name = "same", .created_s = 2000}.object();
  const auto young = Ticket{.name = "young", .created_s = 2001}.object();
  bench.start({.widgets = {w}, .tickets = {old, same, young}, .pods = {}});
  const auto marks = bench.work();
  ASSERT_THAT(about(marks), UnorderedElementsAre("PATCH tickets/old/status", "PATCH tickets/same/status"));
  for (const auto& mark : marks) {
    EXPECT_EQ(body(mark)["status"]["primitiveUID"], "w-1");
    EXPECT_EQ(body(mark)["status"]["phase"], "Pending");
    EXPECT_EQ(body(mark)["metadata"]["resourceVersion"], "105");
  }
  const bool first_is_old = about(marks[0]) == "PATCH tickets/old/status";
  bench.answer(marks[0], patched(first_is_old ? old : same, marks[0].request.body, 120));
  EXPECT_THAT(bench.work(), IsEmpty()) << "not before all are marked";
  bench.answer(marks[1], patched(first_is_old ? same : old, marks[1].request.body, 121));
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/old"));
}

/// A widget that has granted before; `old` needs a mark, a younger ticket does not.
void start_after_a_grant(KindBench& bench, const json& old) {
  const auto w = Widget{.created_s = 2000, .limit = 9, .status = ledger(9, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {old, Ticket{.name = "young", .created_s = 2001}.object()}, .pods = {}});
}

TEST(KindMachineMarks, of_who_came_first_are_awaited_also_after_the_first_grant) {
  KindBench bench;
  const auto old = Ticket{.name = "old", .created_s = 1999}.object();
  start_after_a_grant(bench, old);
  const auto mark = bench.only();
  EXPECT_EQ(about(mark), "PATCH tickets/old/status");
  bench.conflict(mark);
  EXPECT_THAT(bench.work(), IsEmpty()) << "another leader has marked it: the view will show that";
  bench.ticket(patched(old, mark.request.body, 120));
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/old", "ns/young"));
}

TEST(KindMachineMarks, that_cannot_be_written_hold_up_nobody_else) {
  KindBench bench;
  start_after_a_grant(bench, Ticket{.name = "old", .created_s = 1999}.object());
  bench.refuse(bench.only(), 422, "Invalid", "a webhook says no");
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/young"));
}

TEST(KindMachineMarks, that_fail_again_and_again_before_the_first_grant_are_shown) {
  KindBench bench;
  const auto w = Widget{.created_s = 2000}.object();
  bench.start({.widgets = {w}, .tickets = {Ticket{.name = "old", .created_s = 1999}.object()}, .pods = {}});
  auto sent = bench.work();
  for (int i = 0; i < 6; ++i) {
    ASSERT_THAT(about(sent), ElementsAre("PATCH tickets/old/status")) << i;
    bench.refuse(sent[0], 500, "InternalError", "failed calling webhook: connection refused");
    sent = bench.work_within(seconds{5});
  }
  ASSERT_THAT(about(sent), ElementsAre("PATCH widgets/w/status"));
  const auto ready = body(sent[0])["status"]["conditions"][0];
  EXPECT_EQ(ready["reason"], "ClaimNotMarked");
  EXPECT_THAT(ready["message"].get<std::string>(), HasSubstr("connection refused"));
}

TEST(KindMachineMarks, that_are_refused_before_the_first_grant_are_shown_until_they_are_not) {
  KindBench bench;
  const auto w = Widget{.created_s = 2000}.object();
  const auto old = Ticket{.name = "old", .created_s = 1999}.object();
  bench.start({.widgets = {w}, .tickets = {old, Ticket{.name = "young", .created_s = 2001}.object()}, .pods = {}});
  bench.refuse(bench.only(), 422, "Invalid", "a webhook says no");
  const auto shown = bench.only();
  EXPECT_THAT(pending_of(shown), IsEmpty()) << "a stale leader may still tell it";
  const auto ready = body(shown)["status"]["conditions"][0];
  EXPECT_EQ(ready["reason"], "ClaimNotMarked");
  EXPECT_THAT(ready["message"].get<std::string>(), testing::AllOf(HasSubstr("ns/old"), HasSubstr("a webhook says no")));
  bench.answer(shown, patched(w, shown.request.body, 120));
  const auto again = bench.work_within(seconds{6});
  ASSERT_THAT(about(again), ElementsAre("PATCH tickets/old/status"));
  bench.answer(again[0], patched(old, again[0].request.body, 121));
  const auto sent = bench.work();
  ASSERT_THAT(about(sent), ElementsAre("PATCH widgets/w/status", "PATCH tickets/young/status"));
  EXPECT_THAT(pending_of(sent[0]), ElementsAre("ns/old"));
  EXPECT_EQ(body(sent[0])["status"]["conditions"][0]["reason"], "Serving");
}

TEST(KindMachineMarks, that_wait_for_a_right_before_the_first_grant_are_shown_at_once) {
  KindBench bench;
  std::map<std::string, json> widgets{
      {"PATCH widgets/w/status", Widget{.created_s = 2000}.object()},
      {"PATCH widgets/z/status", Widget{.name = "z", .uid = "z-1", .created_s = 2000}.object()}};
  bench.start({.widgets = {widgets.begin()->second, widgets.rbegin()->second},
               .tickets = {Ticket{.name = "old", .created_s = 1999}.object()},
               .pods = {}});
  std::uint64_t rv = 200;
  const auto play = [&] {
    for (auto sent = bench.work(); !sent.empty(); sent = bench.work_within(seconds{1})) {
      for (const auto& out : sent) {
        EXPECT_NE(about(out), "PATCH tickets/late/status") << "it would be refused as well";
        if (about(out).starts_with("PATCH tickets/"))
          bench.refuse(out, 403, "Forbidden",
                       "tickets.sync.konductor.io \"old\" is forbidden: User \"op\" cannot patch resource "
                       "\"tickets/status\" in API group \"sync.konductor.io\" in the namespace \"ns\"");
        const auto widget = widgets.find(about(out));
        if (widget == widgets.end()) continue;
        widget->second = patched(widget->second, out.request.body, ++rv);
        bench.answer(out, widget->second);
      }
    }
  };
  play();
  bench.ticket(Ticket{.name = "late", .rv = 300, .created_s = 1999, .widget = "z"}.object());
  play();
  const auto ready = widgets["PATCH widgets/z/status"]["status"]["conditions"][0];
  EXPECT_EQ(ready["reason"], "ClaimNotMarked");
  EXPECT_THAT(ready["message"].get<std::string>(),
              testing::AllOf(HasSubstr("ns/late"), HasSubstr("allows patch on tickets/status")));
}

TEST(KindMachineMarks, that_get_no_answer_hold_up_who_came_later_for_a_while_only) {
  KindBench bench;
  start_after_a_grant(bench, Ticket{.name = "old", .created_s = 1999}.object());
  bench.lose(bench.only());
  bench.lose(bench.work_within(seconds{1}).at(0));
  EXPECT_THAT(about(bench.work_within(seconds{1})), ElementsAre("PATCH tickets/old/status"));
  bench.pass(seconds{30});
  EXPECT_THAT(pending_of(bench.only()), ElementsAre("ns/young"));
}

TEST(KindMachineMarks, of_a_former_life_are_replaced_before_a_grant) {
  KindBench bench;
  const auto w = Widget{.uid = "w-2", .created_s = 2000}.object();
  const auto a = Ticket{.created_s = 1500, .status = {{"phase", "Pending"}, {"primitiveUID", "w-1"}}}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
  const auto question = bench.only();
  EXPECT_EQ(about(question), "GET widgets/w") << "which of the two lives is over?";
  bench.answer(question, w);
  const auto mark = bench.only();
  EXPECT_EQ(about(mark), "PATCH tickets/a/status");
  EXPECT_EQ(body(mark)["status"]["primitiveUID"], "w-2");
  bench.conflict(mark);
  auto again = a;
  again["metadata"]["resourceVersion"] = "130";
  bench.ticket(again);
  EXPECT_EQ(about(bench.only()), "GET widgets/w") << "a third life may have begun, and marked it";
}

/// Whose watch of the primitives is late, and whose watch of the claims is not: it would mark the claim for its own,
/// former life, and then tell what that had recorded, beside all that the new life has granted.
TEST(KindMachineMarks, of_the_next_life_are_never_replaced) {
  KindBench bench;
  const auto w = Widget{.uid = "w-1", .status = ledger(9, "100", {{.name = "a", .token = 9}})}.object();
  const auto a = Ticket{.created_s = 2000, .status = {{"phase", "Pending"}, {"primitiveUID", "w-2"}}}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
  const auto question = bench.only();
  EXPECT_EQ(about(question), "GET widgets/w");
  bench.lose(question);
  EXPECT_THAT(about(bench.work_within(seconds{1})), ElementsAre("GET widgets/w"));
}

TEST(KindMachineMarks, of_another_life_stop_a_tell) {
  KindBench bench;
  const auto w = Widget{.uid = "w-1", .status = ledger(9, "100", {{.name = "a", .token = 9}})}.object();
  const auto a = Ticket{.created_s = 2000, .status = {{"phase", "Pending"}, {"primitiveUID", "w-2"}}}.object();
  bench.start({.widgets = {w}, .tickets = {a}, .pods = {}});
  for (const auto& one : bench.work()) {
    if (about(one) == "PATCH tickets/a/status") {
      EXPECT_EQ(body(one)["status"]["phase"], "Pending");
    }
  }
}

TEST(KindMachineRecreation, starts_a_new_ledger_with_higher_tokens) {
  KindBench bench;
  const auto w = Widget{.status = ledger(100500, "100")}.object();
  bench.start({.widgets = {w}, .tickets = {}, .pods = {}});
  const auto write = bench.only();
  bench.answer(write, patched(w, write.request.body, 115));
  bench.widget_gone(patched(w, "{}", 120));
  EXPECT_THAT(bench.work(), IsEmpty());
  bench.widget(Widget{.uid = "w-2", .rv = 121, .created_s = 1001}.object());
  const auto first = bench.only();
  EXPECT_EQ(body(first)["metadata"]["uid"], "w-2");
  EXPECT_EQ(body(first)["status"]["ledger"], json({{"lastToken", 0}, {"seen", "121"}, {"pending", json::array()}}));
  bench.answer(first, patched(Widget{.uid = "w-2", .rv = 121, .created_s = 1001}.object(), first.request.body, 122));
  bench.ticket(Ticket{.rv = 125}.object());
  const auto record = bench.only();
  EXPECT_THAT(pending_of(record), ElementsAre("ns/a"));
  EXPECT_EQ(body(record)["status"]["ledger"]["lastToken"], 122001);
}

/// Told by a leader that did not know that the former life was over. A view from before that covers the first `seen`,
/// and would grant its place once more.
TEST(KindMachineRecreation, asks_from_the_first_grant_on_for_views_that_show_who_holds_from_the_former_life) {
  KindBench bench;
  const auto w = Widget{.uid = "w-2", .created_s = 1000, .limit = 2, .status = ledger(0, "100")}.object();
  const auto a = Ticket{.name = "a", .rv = 108, .created_s = 900, .status = granted(9, 1, "60s")}.object();
  const auto b = Ticket{.name = "b", .rv = 109, .created_s = 2000}.object();
  bench.start({.widgets = {w}, .tickets = {a, b}, .pods = {}});
  const auto record = bench.only();
  EXPECT_THAT(pending_of(record), ElementsAre("ns/b"));
  EXPECT_EQ(body(record)["status"]["ledger"]["seen"], "108");
}

}  // namespace
}  // namespace konductor::test
