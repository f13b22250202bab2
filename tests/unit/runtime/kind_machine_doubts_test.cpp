// Who claims stand for, where that is not sure or cannot be found out.
#include "participants_bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace konductor::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Doubtful {
  const char* name;
  json pod;
  json job;  // null: not asked
  const char* why;
};
void PrintTo(const Doubtful& one, std::ostream* out) {
  *out << one.name;
}

struct KindMachineDoubt : KindMachineParticipants, testing::WithParamInterface<Doubtful> {};

TEST_P(KindMachineDoubt, counts_the_pod_and_says_so) {
  const auto& one = GetParam();
  begin({a});
  bench.answer(sent.at(0), one.pod);
  auto next = only();
  if (!one.job.is_null()) {
    ASSERT_EQ(about(next), "GET jobs/train");
    bench.answer(next, one.job);
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

const Doubtful doubtful[] = {
    {"bare_pod", pod("p1", 50), nullptr, "belongs to no Job"},
    {"deployment", owned("p1", "web", "ReplicaSet"), nullptr, "belongs to ReplicaSet web"},
    {"many_completions", owned("p1", "train"), job_of(5), "Job train has 5 completions without indexes"},
    {"job_of_no_name", owned("p1", "train/status"), nullptr, "belongs to a Job of a name or UID that cannot be"},
    {"job_of_no_uid", owned("p1", std::string(99, 'x')), nullptr, "belongs to a Job of a name or UID that cannot be"},
};
INSTANTIATE_TEST_SUITE_P(Each, KindMachineDoubt, testing::ValuesIn(doubtful),
                         [](const auto& test) { return test.param.name; });

/// A claim that is not counted, and hears why once, with what to do.
struct KindMachineLost : KindMachineParticipants {
  json ready() const {
    for (const auto& condition : w["status"]["conditions"])
      if (condition["type"] == "Ready") return condition;
    return {};
  }
  void expect_told(const runtime::Outgoing& told, const std::string& why, const char* reason = "PodGone") {
    ASSERT_EQ(about(told), "PATCH tickets/a/status");
    const auto status = body(told)["status"];
    EXPECT_FALSE(status.contains("participant"));
    EXPECT_EQ(status["conditions"][0]["type"], "Participant");
    EXPECT_EQ(status["conditions"][0]["status"], "Unknown");
    EXPECT_EQ(status["conditions"][0]["reason"], reason);
    EXPECT_THAT(status["conditions"][0]["message"].get<std::string>(),
                testing::AllOf(HasSubstr(why), HasSubstr("make another ticket that names"), HasSubstr("spec.person")));
    a = patched(a, told.request.body, 300);
    bench.answer(told, a);
    EXPECT_EQ(arrived(), 0);
    EXPECT_EQ(ready()["reason"], "ParticipantsUnknown");
    EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("1 of them will not be"));
    EXPECT_THAT(about(within(minutes{10})), IsEmpty()) << "it is asked for and told once";
  }
};

TEST_F(KindMachineLost, is_not_counted_where_its_pod_is_gone) {
  begin({a});
  bench.not_found(sent.at(0));
  expect_told(only(), "pod pod-p1 was gone");
}

TEST_F(KindMachineLost, is_not_counted_where_another_pod_has_its_name) {
  begin({a});
  auto another = indexed("p1", "train", 1);
  another["metadata"]["uid"] = "p9";
  bench.answer(sent.at(0), another);
  expect_told(only(), "another had its name");
}

TEST_F(KindMachineLost, is_not_asked_for_by_a_name_that_no_pod_can_have) {
  for (const char* name : {"", "pod-p1/log", "..", "POD", "pod p1"}) {
    bench = KindBench(counting_widgets());
    w = Widget{.limit = 100}.object();
    a = Ticket{.name = "a", .pod = "p1"}.object();
    a["spec"]["pod"]["name"] = name;
    begin({a});
    ASSERT_THAT(about(sent), ElementsAre("PATCH tickets/a/status")) << name;
    expect_told(sent[0], "no pod can have the name");
  }
}

TEST_F(KindMachineLost, is_not_lost_where_another_claim_of_its_pod_shows_who_it_was) {
  auto before = Ticket{.name = "before", .pod = "p1", .status = {{"participant", "uid-train/3"}}}.object();
  begin({before, a});
  bench.not_found(sent.at(0));
  const auto write = only();
  EXPECT_EQ(body(write)["status"], json({{"participant", "uid-train/3"}}));
  bench.answer(write, patched(a, write.request.body, 300));
  EXPECT_EQ(arrived(), 1);
}

TEST_F(KindMachineLost, is_not_found_by_what_another_claim_of_its_pod_says_itself) {
  auto before = Ticket{.name = "before", .pod = "p1"}.object();
  before["spec"]["person"] = "ann";
  begin({before, a});
  bench.not_found(sent.at(0));
  const auto told = only();
  ASSERT_EQ(about(told), "PATCH tickets/a/status");
  EXPECT_FALSE(body(told)["status"].contains("participant")) << "its retry does not say that it is ann";
  EXPECT_EQ(body(told)["status"]["conditions"][0]["reason"], "PodGone");
  bench.answer(told, patched(a, told.request.body, 300));
  EXPECT_EQ(arrived(), 1);
}

TEST_F(KindMachineLost, is_not_counted_where_the_job_of_its_pod_is_gone) {
  begin({a});
  bench.answer(sent.at(0), owned("p1", "train"));
  bench.not_found(only());
  expect_told(only(), "Job train was gone", "JobGone");
}

TEST_F(KindMachineLost, is_not_counted_where_another_job_has_that_name) {
  begin({a});
  bench.answer(sent.at(0), owned("p1", "train"));
  bench.answer(only(), job_of(1, "x"));
  expect_told(only(), "Job train was gone, and another had its name", "JobGone");
}

TEST_F(KindMachineLost, by_its_job_says_nothing_of_other_pods) {
  begin({a});
  bench.answer(sent.at(0), owned("p1", "train"));
  bench.not_found(only());
  const auto told = only();
  bench.answer(told, patched(a, told.request.body, 300));
  bench.ticket(Ticket{.name = "b", .rv = 310, .pod = "p2"}.object());
  bench.answer(only(), owned("p2", "train"));
  const auto question = only();
  ASSERT_EQ(about(question), "GET jobs/train");
  bench.answer(question, job_of(1));
  EXPECT_EQ(body(only())["status"]["participant"], "uid-train");
}

TEST_F(KindMachineLost, is_not_lost_where_its_job_was_counted_by_a_former_pod) {
  const auto before = Ticket{.name = "before", .pod = "p0", .status = {{"participant", "uid-train"}}}.object();
  begin({before, a});
  bench.answer(sent.at(0), owned("p1", "train"));
  bench.not_found(only());
  const auto write = only();
  EXPECT_EQ(body(write)["status"], json({{"participant", "uid-train"}}));
  bench.answer(write, patched(a, write.request.body, 300));
  EXPECT_EQ(arrived(), 1) << "the same one";
}

TEST_F(KindMachineLost, is_not_found_by_whoever_takes_the_uid_of_its_job_for_a_name) {
  auto before = Ticket{.name = "before", .pod = "p0"}.object();
  before["spec"]["person"] = "uid-train";
  begin({before, a});
  bench.answer(sent.at(0), owned("p1", "train"));
  bench.not_found(only());
  EXPECT_EQ(body(only())["status"]["conditions"][0]["reason"], "JobGone");
}

TEST_F(KindMachineLost, by_its_job_stays_so_for_the_next_operator) {
  a["status"] = {{"conditions", {{{"type", "Participant"}, {"status", "Unknown"}, {"reason", "JobGone"}}}}};
  begin({a});
  EXPECT_THAT(about(sent), IsEmpty());
  EXPECT_EQ(arrived(), 0);
  EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("the Job of its pod pod-p1 was gone"));
}

TEST_F(KindMachineLost, is_not_yet_who_was_refused_to_the_operator_before) {
  a["status"] = {{"conditions", {{{"type", "Participant"}, {"status", "Unknown"}, {"reason", "PodsForbidden"}}}}};
  begin({a});
  EXPECT_THAT(about(sent), ElementsAre("GET pods/pod-p1"));
  EXPECT_EQ(arrived(), 0);
  EXPECT_THAT(ready()["message"].get<std::string>(),
              HasSubstr("ns/a: the API server refused to say; it is being asked"));
}

TEST_F(KindMachineLost, is_told_again_where_that_write_failed) {
  begin({a});
  bench.not_found(sent.at(0));
  bench.lose(only());
  const auto again = within(seconds{6});
  ASSERT_THAT(about(again), ElementsAre("PATCH tickets/a/status"));
  EXPECT_EQ(body(again[0])["status"]["conditions"][0]["reason"], "PodGone");
}

TEST_F(KindMachineLost, stays_so_for_the_next_operator) {
  a["status"] = {{"conditions", {{{"type", "Participant"}, {"status", "Unknown"}, {"reason", "PodGone"}}}}};
  begin({a, Ticket{.name = "b"}.object()});
  EXPECT_THAT(about(sent), IsEmpty());
  EXPECT_EQ(arrived(), 1);
  EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("1 ticket cannot be counted yet"));
  EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("its pod pod-p1 was gone"));
}

TEST_F(KindMachineLost, holds_up_no_time) {
  w["spec"] = {{"limit", 1}, {"deadline", 3001 * std::int64_t{1'000'000}}};
  begin({a});
  bench.not_found(sent.at(0));
  const auto told = only();
  bench.answer(told, patched(a, told.request.body, 300));
  EXPECT_THAT(about(within(seconds{5})), IsEmpty());
  EXPECT_EQ(w["status"]["phase"], "Failed");
}

TEST_F(KindMachineLost, is_heard_of_once_it_is_deleted_no_more) {
  begin({a});
  bench.not_found(sent.at(0));
  const auto told = only();
  a = patched(a, told.request.body, 300);
  bench.answer(told, a);
  EXPECT_THAT(about(within(seconds{3})), IsEmpty());
  EXPECT_EQ(ready()["status"], "False");
  bench.ticket_gone(a, 400);
  EXPECT_THAT(about(within(seconds{3})), IsEmpty());
  EXPECT_EQ(ready()["status"], "True");
}

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

TEST_F(KindMachineParticipants, in_doubt_leave_what_others_say_of_the_claim) {
  const json mine = {{"type", "Mine"}, {"status", "True"}, {"reason", "R"}, {"message", "m"}};
  a["status"]["conditions"] = json::array({mine});
  begin({a});
  bench.refuse(sent.at(0), 403, "Forbidden");
  const auto told = only();
  ASSERT_THAT(body(told)["status"]["conditions"], testing::SizeIs(2));
  EXPECT_EQ(body(told)["status"]["conditions"][0], mine);
  bench.answer(told, patched(a, told.request.body, 300));
  const auto again = within(seconds{6});
  bench.answer(again.at(0), indexed("p1", "train", 0));
  EXPECT_EQ(body(only())["status"]["conditions"], json::array({mine}));
}

TEST_F(KindMachineParticipants, whose_job_may_not_be_read_are_not_guessed_but_asked_for_again) {
  begin({a});
  bench.answer(sent.at(0), owned("p1", "train"));
  bench.refuse(only(), 403, "Forbidden", "jobs.batch \"train\" is forbidden");
  const auto told = only();
  ASSERT_EQ(about(told), "PATCH tickets/a/status");
  const auto condition = body(told)["status"]["conditions"][0];
  EXPECT_FALSE(body(told)["status"].contains("participant"));
  EXPECT_EQ(condition["status"], "Unknown");
  EXPECT_EQ(condition["reason"], "JobsForbidden");
  EXPECT_THAT(condition["message"].get<std::string>(), HasSubstr("jobs.batch \"train\" is forbidden"));
  a = patched(a, told.request.body, 300);
  bench.answer(told, a);
  EXPECT_EQ(arrived(), 0);
  bench.ticket(Ticket{.name = "b", .rv = 310, .pod = "p2"}.object());
  const auto other = only();
  ASSERT_EQ(about(other), "GET pods/pod-p2") << "one of an Indexed Job needs no Job";
  bench.answer(other, indexed("p2", "left", 0));
  const auto settled = only();
  bench.answer(settled, patched(Ticket{.name = "b", .rv = 310, .pod = "p2"}.object(), settled.request.body, 320));
  EXPECT_EQ(arrived(), 1);
  const auto again = within(seconds{6});
  ASSERT_THAT(about(again), ElementsAre("GET jobs/train"));
  bench.answer(again[0], job_of(1));
  EXPECT_EQ(body(only())["status"], json::parse(R"({"participant": "uid-train", "conditions": []})"));
}

TEST_F(KindMachineParticipants, whose_pods_may_not_be_read_hold_up_their_own_namespace_alone) {
  const auto elsewhere = [](json object) {
    object["metadata"]["namespace"] = "other";
    return object;
  };
  begin({a}, {elsewhere(Widget{.name = "z", .uid = "z-1"}.object())});
  bench.refuse(sent.at(0), 403, "Forbidden");
  work();
  bench.ticket(Ticket{.name = "b", .rv = 310, .pod = "p2"}.object());
  bench.ticket(elsewhere(Ticket{.name = "c", .rv = 320, .widget = "z", .pod = "p3"}.object()));
  std::vector<std::string> asked;
  for (const auto& out : bench.work())
    if (about(out).starts_with("GET")) asked.push_back(out.request.target);
  EXPECT_THAT(asked, ElementsAre("/api/v1/namespaces/other/pods/pod-p3"));
}

TEST_F(KindMachineParticipants, whose_pods_may_be_read_again_are_all_asked_for_once_one_was_answered) {
  begin({a});
  bench.refuse(sent.at(0), 403, "Forbidden");
  for (const char* name : {"b", "c"}) bench.ticket(Ticket{.name = name, .rv = 310, .pod = name}.object());
  const auto questions_within = [this](runtime::Duration time) {
    std::vector<runtime::Outgoing> questions;
    for (const auto end = bench.now.mono + time; bench.now.mono < end;) {
      for (const auto& out : within(end - bench.now.mono)) {
        if (about(out).starts_with("GET")) questions.push_back(out);
        if (about(out).starts_with("PATCH")) bench.lose(out);
      }
    }
    return questions;
  };
  const auto first = questions_within(seconds{9});
  ASSERT_THAT(first, testing::SizeIs(1)) << "one finds out for all";
  bench.not_found(first[0]);
  EXPECT_THAT(questions_within(seconds{6}), testing::SizeIs(2));
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

constexpr const char* no_right =
    "tickets.sync.konductor.io \"a\" is forbidden: User \"op\" cannot patch resource \"tickets/status\" in API group "
    "\"sync.konductor.io\" in the namespace \"ns\"";

/// Twenty that are found out, and none that may be written down.
struct KindMachineUnwritable : KindMachineLost {
  static constexpr int size = 20;
  std::vector<std::string> patched_within(runtime::Duration time, const std::string& words) {
    std::vector<std::string> patches;
    const auto end = bench.now.mono + time;
    while (bench.now.mono < end) {
      for (const auto& out : settle(bench.work_within(end - bench.now.mono))) answer(out, words, patches);
    }
    return patches;
  }
  void answer(const runtime::Outgoing& out, const std::string& words, std::vector<std::string>& patches) {
    const auto what = about(out);
    if (what.starts_with("GET pods/pod-")) {
      const auto uid = what.substr(std::string("GET pods/pod-").size());
      return bench.answer(out, indexed(uid, "train", std::stoi(uid)));
    }
    patches.push_back(what);
    const auto name = what.substr(std::string("PATCH tickets/").size(), 3);
    if (!words.empty()) return bench.refuse(out, 403, "Forbidden", words);
    bench.answer(out, patched(tickets.at(name), out.request.body, ++rv));
  }
  KindMachineUnwritable() {
    std::vector<json> all;
    for (int i = 0; i < size; ++i) {
      const auto name = std::to_string(100 + i);
      all.push_back(Ticket{.name = name, .pod = name}.object());
      tickets[name] = all.back();
    }
    begin(all);
    for (const auto& out : sent) answer(out, no_right, first);
  }
  std::map<std::string, json> tickets;
  std::vector<std::string> first;
};

TEST_F(KindMachineUnwritable, are_not_all_written_again_and_again) {
  patched_within(seconds{10}, no_right);
  EXPECT_LE(patched_within(seconds{60}, no_right).size(), 13U) << "one each five seconds";
  EXPECT_EQ(ready()["reason"], "ParticipantsUnknown");
  EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("20 tickets cannot be counted yet"));
  EXPECT_THAT(ready()["message"].get<std::string>(), HasSubstr("allows patch on tickets/status"));
}

TEST_F(KindMachineUnwritable, are_all_written_soon_after_that_was_mended) {
  patched_within(seconds{10}, no_right);
  EXPECT_EQ(patched_within(seconds{7}, "").size(), std::size_t{size});
  EXPECT_EQ(arrived(), size);
}

TEST_F(KindMachineUnwritable, one_by_one_hold_up_no_other) {
  patched_within(seconds{7}, "");
  std::vector<std::string> patches;
  for (const char* name : {"200", "201"}) {
    tickets[name] = Ticket{.name = name, .rv = 5000, .pod = name}.object();
    bench.ticket(tickets[name]);
  }
  for (const auto& out : work()) answer(out, "", patches);
  const auto writes = work();
  ASSERT_THAT(about(writes), ElementsAre("PATCH tickets/200/status", "PATCH tickets/201/status"));
  answer(writes[0], "admission webhook \"no.example.com\" denied the request", patches);
  tickets["202"] = Ticket{.name = "202", .rv = 5001, .pod = "202"}.object();
  bench.ticket(tickets["202"]);
  for (const auto& out : work()) answer(out, "", patches);
  EXPECT_THAT(about(work()), testing::Contains("PATCH tickets/202/status"));
}

}  // namespace
}  // namespace konductor::test
