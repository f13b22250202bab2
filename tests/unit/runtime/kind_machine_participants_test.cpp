// Who claims stand for: found out by their Pods, written down, and only then counted.
#include "participants_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(KindMachineParticipants, who_name_themselves_or_have_no_pod_are_counted_without_a_question) {
  auto named = a;
  named["spec"]["person"] = "ann";
  auto again = Ticket{.name = "b", .pod = "p2"}.object();
  again["spec"]["person"] = "ann";
  begin({named, again, Ticket{.name = "c"}.object(), Ticket{.name = "d"}.object()});
  EXPECT_THAT(about(sent), IsEmpty());
  EXPECT_EQ(arrived(), 3);
}

TEST_F(KindMachineParticipants, are_written_down_before_they_are_counted) {
  begin({a});
  ASSERT_THAT(about(sent), ElementsAre("GET pods/pod-p1"));
  EXPECT_THAT(sent[0].request.accept, HasSubstr("PartialObjectMetadata"));
  bench.answer(sent[0], indexed("p1", "train", 3));
  const auto write = only();
  ASSERT_EQ(about(write), "PATCH tickets/a/status");
  EXPECT_EQ(body(write), json::parse(R"({"metadata": {"resourceVersion": "105", "uid": "uid-a"},
                                         "status": {"participant": "uid-train/3"}})"));
  EXPECT_EQ(arrived(), 0);
  bench.answer(write, patched(a, write.request.body, 300));
  EXPECT_THAT(about(bench.work()), IsEmpty()) << "no question more";
  EXPECT_EQ(arrived(), 1);
}

TEST_F(KindMachineParticipants, of_a_job_with_one_completion_are_that_job_which_is_asked_once) {
  auto b = Ticket{.name = "b", .pod = "p2"}.object();
  begin({a});
  bench.answer(sent.at(0), owned("p1", "train"));
  const auto question = only();
  ASSERT_EQ(about(question), "GET jobs/train");
  EXPECT_EQ(question.request.target, "/apis/batch/v1/namespaces/ns/jobs/train");
  bench.answer(question, job_of(1));
  const auto write = only();
  EXPECT_EQ(body(write)["status"], json({{"participant", "uid-train"}}));
  bench.answer(write, patched(a, write.request.body, 300));
  work();
  bench.ticket(patched(b, "{}", 310));
  bench.answer(only(), owned("p2", "train"));
  const auto second = only();
  EXPECT_EQ(body(second)["status"], json({{"participant", "uid-train"}}));
  bench.answer(second, patched(b, second.request.body, 320));
  EXPECT_EQ(arrived(), 1) << "a retry of it";
}

TEST_F(KindMachineParticipants, of_a_job_that_only_runs_one_pod_at_a_time_are_that_job_as_long_as_it_does) {
  begin({a});
  bench.answer(sent.at(0), owned("p1", "train"));
  auto job = job_of(1);
  job["spec"].erase("completions");
  bench.answer(only(), job);
  const auto write = only();
  EXPECT_EQ(body(write)["status"], json({{"participant", "uid-train"}}));
  bench.answer(write, patched(a, write.request.body, 300));
  work();
  bench.ticket(Ticket{.name = "b", .rv = 310, .pod = "p2"}.object());
  bench.answer(only(), owned("p2", "train"));
  const auto question = only();
  ASSERT_EQ(about(question), "GET jobs/train") << "it may have changed";
  job["spec"]["parallelism"] = 3;
  bench.answer(question, job);
  EXPECT_EQ(body(only())["status"]["participant"], "p2");
}

TEST_F(KindMachineParticipants, are_not_taken_for_others_because_a_pod_named_their_job_wrongly) {
  begin({a});
  auto liar = owned("p1", "train");
  liar["metadata"]["ownerReferences"][0]["name"] = "other";
  bench.answer(sent.at(0), liar);
  const auto wrong = only();
  ASSERT_EQ(about(wrong), "GET jobs/other");
  bench.not_found(wrong);
  const auto told = only();
  EXPECT_EQ(body(told)["status"]["conditions"][0]["reason"], "JobGone");
  bench.answer(told, patched(a, told.request.body, 300));
  work();
  bench.ticket(Ticket{.name = "b", .rv = 310, .pod = "p2"}.object());
  bench.answer(only(), owned("p2", "train"));
  const auto right = only();
  ASSERT_EQ(about(right), "GET jobs/train");
  bench.answer(right, job_of(1));
  EXPECT_EQ(body(only())["status"], json({{"participant", "uid-train"}}));
}

TEST_F(KindMachineParticipants, met_by_another_write_are_written_on_the_newer_claim) {
  begin({a});
  bench.answer(sent.at(0), indexed("p1", "train", 3));
  bench.conflict(only());
  EXPECT_THAT(about(work()), IsEmpty());
  bench.ticket(patched(a, R"({"metadata": {"labels": {"x": "y"}}})", 300));
  const auto write = only();
  EXPECT_EQ(body(write)["metadata"]["resourceVersion"], "300");
  EXPECT_EQ(body(write)["status"]["participant"], "uid-train/3");
}

TEST_F(KindMachineParticipants, whose_write_got_no_answer_are_written_again) {
  begin({a});
  bench.answer(sent.at(0), indexed("p1", "train", 3));
  bench.lose(only());
  const auto again = within(seconds{6});
  ASSERT_THAT(about(again), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(again[0])["status"]["participant"], "uid-train/3");
}

TEST_F(KindMachineParticipants, stay_who_they_are_for_the_next_operator_though_the_pod_is_gone) {
  a["status"] = {{"participant", "uid-train/3"}};
  auto retry = Ticket{.name = "b", .pod = "p2", .status = {{"participant", "uid-train/3"}}}.object();
  begin({a, retry});
  EXPECT_THAT(about(sent), IsEmpty());
  EXPECT_EQ(arrived(), 1);
}

TEST_F(KindMachineParticipants, are_asked_for_anew_by_who_starts_between_the_question_and_the_write) {
  begin({a});
  bench.answer(sent.at(0), indexed("p1", "train", 3));
  only();  // and it dies
  KindBench next(counting_widgets());
  next.start({.widgets = {w}, .tickets = {a}, .rv = 2000});
  EXPECT_THAT(about(next.work()), Contains("GET pods/pod-p1"));
}

TEST_F(KindMachineParticipants, whose_claim_was_deleted_meanwhile_are_forgotten) {
  begin({a});
  bench.ticket_gone(a, 300);
  auto other = Ticket{.name = "a", .uid = "uid-new", .rv = 310, .pod = "p2"}.object();
  bench.ticket(other);
  const auto question = only();
  EXPECT_EQ(about(question), "GET pods/pod-p2");
  bench.answer(sent.at(0), indexed("p1", "train", 3));
  EXPECT_THAT(about(work()), IsEmpty()) << "the answer was about the one before";
  bench.answer(question, indexed("p2", "train", 4));
  EXPECT_EQ(body(only())["status"]["participant"], "uid-train/4");
}

TEST_F(KindMachineParticipants, of_a_claim_that_is_gone_when_it_is_written_are_forgotten) {
  begin({a});
  bench.answer(sent.at(0), indexed("p1", "train", 3));
  bench.not_found(only());
  EXPECT_EQ(arrived(), 0);
  EXPECT_THAT(about(bench.work_within(minutes{10})), IsEmpty());
}

TEST_F(KindMachineParticipants, of_a_former_life_are_not_asked_for) {
  begin({Ticket{.name = "older", .created_s = 999, .pod = "p1"}.object()});
  EXPECT_THAT(about(sent), ElementsAre("PATCH tickets/older/status")) << "it is denied";
}

TEST_F(KindMachineParticipants, are_asked_for_when_what_they_came_to_appears) {
  bench.start({.widgets = {}, .tickets = {a}});
  EXPECT_THAT(about(bench.work_within(minutes{1})), IsEmpty());
  bench.widget(patched(w, "{}", 150));
  EXPECT_THAT(about(work()), ElementsAre("GET pods/pod-p1"));
}

TEST_F(KindMachineParticipants, who_came_in_time_are_not_late_because_it_took_time_to_find_them_out) {
  w["spec"] = {{"limit", 1}, {"deadline", 3001 * std::int64_t{1'000'000}}};
  begin({a});
  EXPECT_THAT(about(settle(bench.work_within(seconds{20}))), IsEmpty());
  bench.answer(sent.at(0), indexed("p1", "train", 3));
  const auto write = only();
  there = json::array({patched(a, write.request.body, 300)});
  bench.answer(write, there[0]);
  work();
  EXPECT_EQ(w["status"]["phase"], "Open");
}

TEST_F(KindMachineParticipants, who_stay_unknown_hold_up_time_for_a_minute_at_most) {
  w["spec"] = {{"limit", 1}, {"deadline", 3001 * std::int64_t{1'000'000}}};
  begin({a});
  EXPECT_THAT(about(settle(bench.work_within(seconds{59}))), IsEmpty());
  EXPECT_EQ(w["status"]["phase"], "Waiting");
  settle(bench.work_within(seconds{2}));
  EXPECT_EQ(w["status"]["phase"], "Failed");
}

TEST_F(KindMachineParticipants, who_waited_for_long_to_be_found_out_by_anybody_are_given_that_minute_too) {
  w["spec"] = {{"limit", 1}, {"deadline", 3001 * std::int64_t{1'000'000}}};
  there = json::array({a});
  bench.start({.widgets = {w}, .tickets = {a}});
  bench.machine.lead(false, bench.now);
  bench.pass(hours{1});
  bench.machine.lead(true, bench.now);
  settle(bench.work_within(seconds{59}));
  EXPECT_EQ(w["status"]["phase"], "Waiting");
}

TEST_F(KindMachineParticipants, who_came_late_and_are_unknown_hold_up_nothing) {
  w["spec"] = {{"limit", 1}, {"deadline", 1500 * std::int64_t{1'000'000}}};
  begin({a});
  EXPECT_EQ(w["status"]["phase"], "Failed");
}

}  // namespace
}  // namespace konductor::test
