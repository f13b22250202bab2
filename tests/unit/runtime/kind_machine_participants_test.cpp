// Who claims stand for: found out by their Pods, written down, and only then counted.
#include "tests/support/kind_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

json owned(const std::string& pod_uid, const std::string& job, const std::string& kind = "Job") {
  auto object = pod(pod_uid, 50);
  object["metadata"]["ownerReferences"] = {{{"apiVersion", kind == "Job" ? "batch/v1" : "apps/v1"},
                                            {"kind", kind},
                                            {"name", job},
                                            {"uid", "uid-" + job},
                                            {"controller", true}}};
  return object;
}

json indexed(const std::string& pod_uid, const std::string& job, int index) {
  auto object = owned(pod_uid, job);
  object["metadata"]["labels"] = {{"batch.kubernetes.io/job-completion-index", std::to_string(index)}};
  return object;
}

json job_of(int completions, const std::string& uid = "uid-train") {
  return {{"metadata", {{"namespace", "ns"}, {"name", "train"}, {"uid", uid}, {"resourceVersion", "7"}}},
          {"spec", {{"completions", completions}, {"parallelism", completions}}}};
}

/// A widget that waits for many, shown as it is, and what is asked about tickets of it.
struct KindMachineParticipants : testing::Test {
  void begin(const std::vector<json>& tickets, const std::vector<json>& others = {}) {
    auto widgets = others;
    there = tickets;
    widgets.push_back(w);
    bench.start({.widgets = widgets, .tickets = tickets});
    sent = settle(bench.work());
  }
  /// Answers what is about the widget, and shows who is there where that is asked; the rest is given back.
  std::vector<runtime::Outgoing> settle(std::vector<runtime::Outgoing> all) {
    std::vector<runtime::Outgoing> rest;
    for (auto& out : all) {
      if (about(out) == "PATCH widgets/w/status") {
        w = patched(w, out.request.body, ++rv);
        bench.answer(out, w);
      } else if (about(out) == "LIST tickets") {
        bench.answer(out, {{"metadata", {{"resourceVersion", std::to_string(++rv)}}}, {"items", there}});
        for (auto& more : settle(bench.work())) rest.push_back(std::move(more));
      } else {
        rest.push_back(std::move(out));
      }
    }
    return rest;
  }
  std::vector<runtime::Outgoing> work() { return settle(bench.work()); }
  std::vector<runtime::Outgoing> within(runtime::Duration most) {
    const auto end = bench.now.mono + most;
    std::vector<runtime::Outgoing> rest;
    while (rest.empty() && bench.now.mono < end) rest = settle(bench.work_within(end - bench.now.mono));
    return rest;
  }
  runtime::Outgoing only() {
    auto all = work();
    EXPECT_EQ(all.size(), 1U) << testing::PrintToString(about(all));
    return all.size() == 1 ? all.front() : runtime::Outgoing{};
  }
  int arrived() {
    settle(bench.work_within(seconds{3}));
    return w["status"]["arrived"].get<int>();
  }

  std::uint64_t rv = 1000;
  KindBench bench{counting_widgets()};
  json w = Widget{.limit = 100}.object();
  json a = Ticket{.name = "a", .pod = "p1"}.object();
  json there;  // as lists show it
  std::vector<runtime::Outgoing> sent;
};

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

TEST_F(KindMachineParticipants, are_not_taken_for_others_because_a_pod_named_their_job_wrongly) {
  begin({a});
  auto liar = owned("p1", "train");
  liar["metadata"]["ownerReferences"][0]["name"] = "other";
  bench.answer(sent.at(0), liar);
  const auto wrong = only();
  ASSERT_EQ(about(wrong), "GET jobs/other");
  bench.not_found(wrong);
  const auto settled = only();
  EXPECT_EQ(body(settled)["status"]["participant"], "p1");
  bench.answer(settled, patched(a, settled.request.body, 300));
  work();
  bench.ticket(Ticket{.name = "b", .rv = 310, .pod = "p2"}.object());
  bench.answer(only(), owned("p2", "train"));
  const auto right = only();
  ASSERT_EQ(about(right), "GET jobs/train");
  bench.answer(right, job_of(1));
  EXPECT_EQ(body(only())["status"], json({{"participant", "uid-train"}}));
}

struct Doubtful {
  const char* name;
  json pod;  // null: there is none
  json job;  // null: not asked
  int job_status;
  const char* why;
};
void PrintTo(const Doubtful& one, std::ostream* out) {
  *out << one.name;
}

struct KindMachineDoubt : KindMachineParticipants, testing::WithParamInterface<Doubtful> {};

TEST_P(KindMachineDoubt, counts_the_pod_and_says_so) {
  const auto& one = GetParam();
  begin({a});
  one.pod.is_null() ? bench.not_found(sent.at(0)) : bench.answer(sent.at(0), one.pod);
  auto next = only();
  if (one.job_status != 0) {
    ASSERT_EQ(about(next), "GET jobs/train");
    if (one.job_status == 200) bench.answer(next, one.job);
    if (one.job_status == 404) bench.not_found(next);
    if (one.job_status == 403) bench.refuse(next, 403, "Forbidden");
    next = only();
  }
  ASSERT_EQ(about(next), "PATCH tickets/a/status");
  const auto status = body(next)["status"];
  EXPECT_EQ(status["participant"], "p1");
  EXPECT_EQ(status["conditions"][0]["type"], "Participant");
  EXPECT_EQ(status["conditions"][0]["status"], "False");
  EXPECT_EQ(status["conditions"][0]["reason"], "PodIsParticipant");
  EXPECT_THAT(status["conditions"][0]["message"].get<std::string>(), HasSubstr(one.why));
  bench.answer(next, patched(a, next.request.body, 300));
  EXPECT_EQ(arrived(), 1);
}

auto another_pod() {
  auto object = indexed("p1", "train", 1);
  object["metadata"]["uid"] = "p9";
  return object;
}

const Doubtful doubtful[] = {
    {"pod_gone", nullptr, nullptr, 0, "pod pod-p1 was gone"},
    {"another_pod", another_pod(), nullptr, 0, "another had its name"},
    {"bare_pod", pod("p1", 50), nullptr, 0, "belongs to no Job"},
    {"deployment", owned("p1", "web", "ReplicaSet"), nullptr, 0, "belongs to ReplicaSet web"},
    {"many_completions", owned("p1", "train"), job_of(5), 200, "Job train has 5 completions without indexes"},
    {"another_job", owned("p1", "train"), job_of(1, "x"), 200, "Job train was gone, and another had its name"},
    {"job_gone", owned("p1", "train"), nullptr, 404, "Job train was gone"},
    {"job_forbidden", owned("p1", "train"), nullptr, 403, "the operator may not look at Job train"},
};
INSTANTIATE_TEST_SUITE_P(Each, KindMachineDoubt, testing::ValuesIn(doubtful),
                         [](const auto& test) { return test.param.name; });

TEST_F(KindMachineParticipants, that_cannot_be_found_out_for_now_are_asked_for_again_and_never_guessed) {
  begin({a});
  auto question = sent.at(0);
  for (int round = 0; round < 12; ++round) {
    if (round % 3 == 0) bench.refuse(question, 500, "InternalError");
    if (round % 3 == 1) bench.throttle(question, 1);
    if (round % 3 == 2) bench.lose(question);
    EXPECT_THAT(about(work()), IsEmpty()) << "not at once";
    const auto again = within(seconds{6});
    ASSERT_THAT(about(again), ElementsAre("GET pods/pod-p1")) << round;
    question = again[0];
  }
  bench.answer(question, owned("p1", "train"));
  auto job = only();
  bench.refuse(job, 503, "ServiceUnavailable");
  const auto again = within(seconds{6});
  ASSERT_THAT(about(again), ElementsAre("GET jobs/train"));
  bench.answer(again[0], job_of(1));
  EXPECT_EQ(body(only())["status"]["participant"], "uid-train");
}

TEST_F(KindMachineParticipants, whose_pods_may_not_be_read_are_told_so_and_counted_once_that_is_mended) {
  begin({a});
  bench.refuse(sent.at(0), 403, "Forbidden", "pods \"pod-p1\" is forbidden");
  const auto told = only();
  ASSERT_EQ(about(told), "PATCH tickets/a/status");
  const auto condition = body(told)["status"]["conditions"][0];
  EXPECT_FALSE(body(told)["status"].contains("participant"));
  EXPECT_EQ(condition["status"], "Unknown");
  EXPECT_EQ(condition["reason"], "PodsForbidden");
  EXPECT_THAT(condition["message"].get<std::string>(), HasSubstr("pods \"pod-p1\" is forbidden"));
  a = patched(a, told.request.body, 300);
  bench.answer(told, a);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(about(within(milliseconds{4900})), IsEmpty());
    const auto again = within(milliseconds{200});
    ASSERT_THAT(about(again), ElementsAre("GET pods/pod-p1")) << "and it is told once";
    i < 2 ? bench.refuse(again[0], 403, "Forbidden") : bench.answer(again[0], indexed("p1", "train", 0));
  }
  const auto write = only();
  EXPECT_EQ(body(write)["status"], json::parse(R"({"participant": "uid-train/0", "conditions": []})"));
}

TEST_F(KindMachineParticipants, of_a_crowd_whose_pods_may_not_be_read_are_not_all_asked_for_all_the_time) {
  std::vector<json> tickets;
  for (int i = 0; i < 300; ++i)
    tickets.push_back(Ticket{.name = "t" + std::to_string(i), .pod = "p" + std::to_string(i)}.object());
  begin(tickets);
  const auto questions = [](const auto& all) {
    return std::ranges::count_if(all, [](const auto& out) { return about(out).starts_with("GET pods/"); });
  };
  auto asked = questions(sent);
  for (int turn = 0; turn < 1000 && !sent.empty(); ++turn) {
    for (const auto& out : sent) {
      if (about(out).starts_with("GET")) bench.refuse(out, 403, "Forbidden");
      if (about(out).starts_with("PATCH")) bench.lose(out);
    }
    sent = work();
    asked += questions(sent);
  }
  EXPECT_LE(asked, 32);
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

TEST_F(KindMachineParticipants, that_nobody_lets_be_written_down_are_told_of_where_people_wait) {
  const auto ready = [this] {
    for (const auto& condition : w["status"]["conditions"])
      if (condition["type"] == "Ready") return condition;
    return json();
  };
  begin({a, Ticket{.name = "b"}.object()});
  bench.answer(sent.at(0), indexed("p1", "train", 3));
  bench.refuse(only(), 403, "Forbidden", "admission webhook \"no.example.com\" denied the request");
  settle(bench.work_within(seconds{2}));
  EXPECT_EQ(ready()["status"], "False");
  EXPECT_EQ(ready()["reason"], "ParticipantsUnknown");
  EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("1 ticket cannot be counted yet"));
  EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("no.example.com"));
  EXPECT_EQ(w["status"]["arrived"], 1) << "the others are counted all the same";
  const auto again = within(seconds{6});
  ASSERT_THAT(about(again), ElementsAre("PATCH tickets/a/status"));
  bench.answer(again[0], patched(a, again[0].request.body, 300));
  EXPECT_EQ(arrived(), 2);
  EXPECT_EQ(ready()["status"], "True");
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

/// 120 with Pods for one widget, eight requests at a time; every request is answered in its turn.
struct KindMachineCrowdOfParticipants : KindMachineParticipants {
  static constexpr int size = 120;
  static runtime::KindSettings settings() {
    runtime::KindSettings settings;
    settings.parallel = 8;
    return settings;
  }
  KindMachineCrowdOfParticipants() {
    bench = KindBench(counting_widgets(), settings());
    w["spec"]["limit"] = size;
    std::vector<json> tickets;
    for (int i = 0; i < size; ++i) {
      const auto name = std::to_string(100 + i);
      tickets.push_back(Ticket{.name = name, .pod = "p" + name}.object());
      by_name[name] = tickets.back();
    }
    begin(tickets, {z});
    queue.assign(sent.begin(), sent.end());
  }
  /// Answers the request that waits for the longest.
  void step() {
    const auto out = queue.front();
    queue.pop_front();
    const auto what = about(out);
    if (what.starts_with("GET pods/pod-p")) {
      const auto name = what.substr(std::string("GET pods/pod-p").size());
      bench.answer(out, indexed("p" + name, "train", std::stoi(name)));
    } else if (what.starts_with("PATCH tickets/")) {
      const auto name = what.substr(std::string("PATCH tickets/").size(), 3);
      ++written[name];
      bench.answer(out, patched(by_name.at(name), out.request.body, ++rv));
    } else if (what == "PATCH widgets/z/status") {
      z = patched(z, out.request.body, ++rv);
      bench.answer(out, z);
    }
    for (auto& more : work()) queue.push_back(std::move(more));
    most = std::max(most, queue.size());
  }

  std::map<std::string, json> by_name;
  std::map<std::string, int> written;
  std::deque<runtime::Outgoing> queue;
  json z = Widget{.name = "z", .uid = "z-1", .limit = 1}.object();
  std::size_t most = 0;
};

TEST_F(KindMachineCrowdOfParticipants, are_each_written_once_with_room_left_for_the_one_write_that_serves_all) {
  for (int i = 0; i < 10 * size && !queue.empty(); ++i) step();
  EXPECT_THAT(written, SizeIs(size));
  EXPECT_TRUE(std::ranges::all_of(written, [](const auto& one) { return one.second == 1; }));
  EXPECT_LE(most, 7U) << "of eight";
  EXPECT_EQ(w["status"]["phase"], "Open");
  EXPECT_EQ(w["status"]["arrived"], size);
}

TEST_F(KindMachineCrowdOfParticipants, hold_up_no_neighbour) {
  for (int i = 0; i < 10; ++i) step();
  bench.ticket(Ticket{.name = "999", .rv = 150, .widget = "z", .pod = "p999"}.object());
  by_name["999"] = Ticket{.name = "999", .rv = 150, .widget = "z", .pod = "p999"}.object();
  for (auto& more : work()) queue.push_back(std::move(more));
  int steps = 0;
  while (!written.contains("999") && ++steps < 4 * size) step();
  EXPECT_LT(steps, 40) << "two requests, beside more than two hundred of others";
  step();
  while (z["status"]["phase"] != "Open" && ++steps < 4 * size) step();
  EXPECT_LT(steps, 60);
}

}  // namespace
}  // namespace konductor::test
