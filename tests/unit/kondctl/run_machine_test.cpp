#include "kondctl/run_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace konductor::kondctl::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const MonoTime start{seconds{1000}};
constexpr Duration ttl = seconds{60};

std::string words_for(const RunAction& action, MonoTime since) {
  const auto span = [since](MonoTime time) {
    return std::to_string(std::chrono::duration_cast<milliseconds>(time - since).count()) + "ms";
  };
  if (std::holds_alternative<StartCommand>(action)) return "start";
  if (const auto* one = std::get_if<SignalCommand>(&action)) return "signal " + std::to_string(one->number);
  if (const auto* one = std::get_if<TellGuard>(&action)) return "guard " + span(one->kill_at);
  if (const auto* one = std::get_if<ReleaseClaim>(&action)) return "release " + span(one->until);
  return "exit " + std::to_string(std::get<Exit>(action).code);
}

/// A machine, and how it came to be in its state.
class Told {
 public:
  explicit Told(RunSettings settings = {}) : machine_(settings, ttl, start + ttl) {}

  /// What it says to do, in words; times count from the start.
  std::vector<std::string> tell(const RunEvent& event, Duration at = {}) {
    const RunStep step = machine_.resume(event, start + at);
    wake_at = step.wake_at;
    errors.insert(errors.end(), step.errors.begin(), step.errors.end());
    notes.insert(notes.end(), step.notes.begin(), step.notes.end());
    std::vector<std::string> words;
    for (const RunAction& action : step.actions) words.push_back(words_for(action, start));
    return words;
  }

  Told& running() {
    tell(TimeCame{});
    tell(CommandStarted{});
    return *this;
  }
  Told& stopping() {
    running().tell(TimeCame{}, seconds{49});
    return *this;
  }
  Told& releasing() {
    running().tell(CommandEnded{7, 0}, seconds{1});
    return *this;
  }
  Told& finished() {
    releasing().tell(ClaimReleased{}, seconds{1});
    return *this;
  }

  std::optional<MonoTime> wake_at;
  std::vector<std::string> errors;
  std::vector<std::string> notes;

 private:
  RunMachine machine_;
};

TEST(RunMachine, starts_the_command_once_the_guard_knows) {
  Told run;
  EXPECT_THAT(run.tell(TimeCame{}), ElementsAre("guard 59500ms", "start"));
  EXPECT_THAT(run.tell(CommandStarted{}), IsEmpty());
  EXPECT_EQ(run.wake_at, start + seconds{49});
}

TEST(RunMachine, stops_it_in_three_steps_before_the_claim_is_lost) {
  struct Case {
    Duration ttl, grace, terminate, kill, guard;
  };
  for (const Case& one :
       {Case{seconds{60}, seconds{10}, seconds{49}, seconds{59}, milliseconds{59500}},
        Case{seconds{6}, seconds{10}, milliseconds{3700}, milliseconds{5700}, milliseconds{5850}},
        Case{seconds{1}, seconds{10}, Duration{616667}, milliseconds{950}, milliseconds{975}},
        Case{seconds{60}, seconds{0}, seconds{59}, seconds{59}, milliseconds{59500}},
        Case{std::chrono::hours{1}, seconds{10}, seconds{3589}, seconds{3599}, milliseconds{3599500}}}) {
    const StopTimes times = stop_times(start + one.ttl, one.ttl, one.grace);
    EXPECT_EQ(times.terminate, start + one.terminate) << one.ttl.count();
    EXPECT_EQ(times.kill, start + one.kill) << one.ttl.count();
    EXPECT_EQ(times.guard, start + one.guard) << one.ttl.count();
    EXPECT_LT(times.guard, start + one.ttl);
  }
}

// Each event in each state: what is done, at a time at which nothing else is due.
TEST(RunMachine, answers_each_event_in_each_state) {
  using Words = std::vector<std::string>;
  struct State {
    std::string name;
    std::function<void(Told&)> reach;
    Duration now;
  };
  const std::vector<State> states{{"starting", [](Told& run) { run.tell(TimeCame{}); }, seconds{1}},
                                  {"running", [](Told& run) { run.running(); }, seconds{1}},
                                  {"stopping", [](Told& run) { run.stopping(); }, seconds{50}},
                                  {"releasing", [](Told& run) { run.releasing(); }, seconds{2}},
                                  {"finished", [](Told& run) { run.finished(); }, seconds{3}}};
  const std::map<std::string, RunEvent> events{{"time", TimeCame{}},
                                               {"started", CommandStarted{}},
                                               {"not started", CommandNotStarted{127, "not found"}},
                                               {"ended", CommandEnded{7, 0}},
                                               {"killed", CommandEnded{137, SIGKILL}},
                                               {"interrupt", SignalCame{SIGINT}},
                                               {"terminate", SignalCame{SIGTERM}},
                                               {"user 1", SignalCame{SIGUSR1}},
                                               {"renewed", ClaimRenewed{start + seconds{100}}},
                                               {"renewed late", ClaimRenewed{start + seconds{20}}},
                                               {"lost", ClaimLost{"why", start}},
                                               {"revoked", ClaimLost{"why", start + seconds{55}}},
                                               {"released", ClaimReleased{}},
                                               {"not released", ClaimReleased{"problem"}}};
  const std::map<std::string, Words> expected{
      {"starting/not started", {"release 11000ms"}},
      {"starting/interrupt", {"release 11000ms"}},
      {"starting/terminate", {"release 11000ms"}},
      {"starting/renewed", {"guard 99500ms"}},
      {"starting/lost", {"release 3000ms"}},
      {"starting/revoked", {"release 3000ms"}},
      {"running/ended", {"release 11000ms"}},
      {"running/killed", {"release 11000ms"}},
      {"running/interrupt", {"signal 2"}},
      {"running/terminate", {"signal 15"}},
      {"running/user 1", {"signal 10"}},
      {"running/renewed", {"guard 99500ms"}},
      {"running/lost", {"guard 1000ms", "signal 9"}},
      {"running/revoked", {"guard 54500ms", "signal 15", "signal 18"}},
      {"stopping/ended", {"release 52000ms"}},
      {"stopping/killed", {"release 52000ms"}},
      {"stopping/interrupt", {"signal 2"}},
      {"stopping/terminate", {"signal 15"}},
      {"stopping/user 1", {"signal 10"}},
      {"stopping/renewed", {"guard 99500ms"}},
      {"stopping/lost", {"guard 50000ms", "signal 9"}},
      {"stopping/revoked", {"guard 54500ms"}},
      {"releasing/released", {"exit 7"}},
      {"releasing/not released", {"exit 7"}},
  };
  for (const State& state : states) {
    for (const auto& [name, event] : events) {
      Told run;
      state.reach(run);
      const std::string key = state.name + "/" + name;
      const auto found = expected.find(key);
      EXPECT_EQ(run.tell(event, state.now), found == expected.end() ? Words{} : found->second) << key;
    }
  }
}

TEST(RunMachine, says_what_the_command_says) {
  for (const int code : {0, 3, 125, 137, 143}) {
    Told run;
    run.running().tell(CommandEnded{code, code > 128 ? code - 128 : 0}, seconds{5});
    EXPECT_THAT(run.tell(ClaimReleased{}, seconds{5}), ElementsAre("exit " + std::to_string(code)));
    EXPECT_THAT(run.errors, IsEmpty());
  }
}

TEST(RunMachine, gives_back_before_it_says_that_there_is_no_such_command) {
  Told run;
  run.tell(TimeCame{});
  EXPECT_THAT(run.tell(CommandNotStarted{126, "\"x\" could not be run"}), ElementsAre("release 10000ms"));
  EXPECT_THAT(run.tell(ClaimReleased{"it stays"}), ElementsAre("exit 126"));
  EXPECT_THAT(run.errors, ElementsAre("\"x\" could not be run"));
  EXPECT_THAT(run.notes, ElementsAre("it stays"));
}

TEST(RunMachine, terminates_then_kills_when_renewals_fail) {
  Told run;
  run.running();
  EXPECT_THAT(run.tell(TimeCame{}, milliseconds{48999}), IsEmpty());
  EXPECT_THAT(run.tell(TimeCame{}, seconds{49}), ElementsAre("signal 15", "signal 18"));
  EXPECT_EQ(run.wake_at, start + seconds{59});
  EXPECT_THAT(run.tell(TimeCame{}, milliseconds{58999}), IsEmpty());
  EXPECT_THAT(run.tell(TimeCame{}, seconds{59}), ElementsAre("signal 9"));
  EXPECT_THAT(run.tell(TimeCame{}, seconds{60}), IsEmpty());
  run.tell(CommandEnded{137, SIGKILL}, seconds{60});
  EXPECT_THAT(run.tell(ClaimReleased{}, seconds{61}), ElementsAre("exit 125"));
  EXPECT_THAT(run.errors, ElementsAre(HasSubstr("could not be renewed, and is lost in 11s")));
}

TEST(RunMachine, goes_on_after_each_renewal) {
  Told run;
  run.running();
  for (int round = 1; round < 100; ++round) {
    const Duration at = seconds{20} * round;
    EXPECT_EQ(run.tell(ClaimRenewed{start + at + ttl}, at).size(), 1U);
    EXPECT_EQ(run.wake_at, start + at + seconds{49});
  }
  EXPECT_THAT(run.errors, IsEmpty());
}

TEST(RunMachine, is_lost_although_the_command_ends_well_once_it_was_told_to_end) {
  Told run;
  run.stopping().tell(ClaimRenewed{start + seconds{109}}, milliseconds{49500});
  run.tell(CommandEnded{0, 0}, seconds{50});
  EXPECT_THAT(run.tell(ClaimReleased{}, seconds{50}), ElementsAre("exit 125"));
}

TEST(RunMachine, knows_by_the_time_that_the_guard_has_killed_the_command) {
  Told run;
  run.running().tell(CommandEnded{137, SIGKILL}, seconds{300});
  EXPECT_THAT(run.tell(ClaimReleased{}, seconds{300}), ElementsAre("exit 125"));
  EXPECT_THAT(run.errors, ElementsAre(HasSubstr("guard killed the command")));
  Told well;
  well.running().tell(CommandEnded{0, 0}, seconds{300});
  EXPECT_THAT(well.tell(ClaimReleased{}, seconds{300}), ElementsAre("exit 0"));
}

TEST(RunMachine, hurries_at_the_second_interrupt_and_kills_at_the_third) {
  Told run;
  run.running();
  EXPECT_THAT(run.tell(SignalCame{SIGINT}, seconds{1}), ElementsAre("signal 2"));
  EXPECT_EQ(run.wake_at, start + seconds{49});
  EXPECT_THAT(run.tell(SignalCame{SIGINT}, seconds{3}), ElementsAre("signal 2"));
  EXPECT_EQ(run.wake_at, start + seconds{5});
  EXPECT_THAT(run.tell(TimeCame{}, seconds{5}), ElementsAre("signal 9"));
  run.tell(CommandEnded{137, SIGKILL}, seconds{5});
  EXPECT_THAT(run.tell(ClaimReleased{}, seconds{5}), ElementsAre("exit 137"));
  Told impatient;
  impatient.running().tell(SignalCame{SIGINT}, seconds{1});
  impatient.tell(SignalCame{SIGINT}, seconds{1});
  EXPECT_THAT(impatient.tell(SignalCame{SIGINT}, seconds{1}), ElementsAre("signal 2", "signal 9"));
}

TEST(RunMachine, does_not_wait_for_the_release_after_two_interrupts) {
  Told run;
  run.releasing();
  EXPECT_THAT(run.tell(SignalCame{SIGINT}, seconds{2}), IsEmpty());
  EXPECT_THAT(run.tell(SignalCame{SIGINT}, seconds{2}), ElementsAre("exit 7"));
}

TEST(RunMachine, starts_nothing_in_the_last_part_of_a_ttl) {
  Told run;
  EXPECT_THAT(run.tell(TimeCame{}, seconds{49}), ElementsAre("release 51000ms"));
  EXPECT_THAT(run.tell(ClaimReleased{}, seconds{50}), ElementsAre("exit 125"));
}

TEST(RunMachine, kills_within_the_grace_that_is_left) {
  RunSettings settings;
  settings.stop_grace = seconds{3};
  Told run(settings);
  run.running();
  EXPECT_THAT(run.tell(ClaimLost{"asked back", start + seconds{30}}, seconds{10}),
              ElementsAre("guard 29500ms", "signal 15", "signal 18"));
  EXPECT_EQ(run.wake_at, start + seconds{13}) << "its own grace is shorter";
  Told patient;
  patient.running().tell(ClaimLost{"asked back", start + seconds{15}}, seconds{10});
  EXPECT_EQ(patient.wake_at, start + seconds{14}) << "what the claim leaves is shorter";
}

}  // namespace
}  // namespace konductor::kondctl::test
