#include "tests/sim/shrink.hpp"

#include "tests/sim/kinds.hpp"
#include "tests/sim/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace konductor::sim {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Shrink, finds_the_two_troubles_and_the_numbers_that_a_failure_needs) {
  const auto fails = [](const Scenario& scenario) {
    return scenario.allows(Trouble::pauses) && scenario.allows(Trouble::recreation) && scenario.clients >= 3 &&
           scenario.disturbances >= 7 && scenario.turbulent_s >= 20;
  };
  const Scenario failing{.operators = 3, .clients = 30, .limit = 5, .recreate = true, .change_limit = true};
  const Shrunk shrunk = shrink(failing, fails);
  EXPECT_EQ(to_text(shrunk.scenario),
            "operators=1,clients=3,limit=1,most_units=1,recreate=1,change_limit=1,pods=0,faults=1,turbulent_s=20,"
            "disturbances=7,without=requests+watches+crashes+shutdowns+partitions+two_leaders+clocks+server_clock+"
            "compaction+client_crashes+pods+deletions+bad_spec+limit");
}

TEST(Shrink, leaves_a_scenario_as_it_is_when_nothing_smaller_fails) {
  const Scenario failing{.clients = 4};
  const Shrunk shrunk = shrink(failing, [](const Scenario&) { return false; });
  EXPECT_EQ(to_text(shrunk.scenario), to_text(failing));
  EXPECT_GT(shrunk.tries, 10);
}

TEST(Shrink, gives_up_after_so_many_tries) {
  int tries = 0;
  shrink({}, [&](const Scenario&) { return ++tries > 0; }, 5);
  EXPECT_EQ(tries, 5);
}

TEST(Scenario, comes_back_from_its_text) {
  Scenario scenario{.operators = 4, .clients = 9, .limit = 3, .most_units = 2, .recreate = true};
  scenario.turbulent_s = 33;
  scenario.disturbances = 12;
  scenario.forgo(Trouble::clocks);
  scenario.forgo(Trouble::two_leaders);
  const auto read = scenario_of(to_text(scenario));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), to_text(scenario));
  EXPECT_FALSE(read->allows(Trouble::clocks));
  EXPECT_TRUE(read->allows(Trouble::pauses));
}

TEST(Scenario, is_not_read_from_nonsense) {
  for (const char* text : {"clients", "clients=", "clients=x", "clients=0", "friends=3", "without=rain", "pods=yes"})
    EXPECT_FALSE(scenario_of(text)) << text;
}

std::vector<std::string> violations_of(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t seed) {
  return run_simulation(scenario, kind, seed).violations;
}

// The invariant is planted: it is broken by what is allowed, two holders at once.
TEST(Shrink, makes_a_world_smaller_that_breaks_a_planted_invariant_and_replays_exactly) {
  KindUnderTest kind = semaphore_kind();
  kind.too_much = [](const nlohmann::json&, const std::vector<Holding>& held) -> std::string {
    return held.size() > 1 ? "two hold" : "";
  };
  const Scenario whole{.clients = 8, .limit = 2, .recreate = true, .change_limit = true};
  std::uint64_t seed = 1;
  while (violations_of(whole, kind, seed).empty()) ++seed;
  const Shrunk shrunk =
      shrink(whole, [&](const Scenario& step) { return !violations_of(step, kind, seed).empty(); }, 60);
  EXPECT_LE(shrunk.scenario.clients, 4);
  EXPECT_LT(shrunk.scenario.disturbances, 20);
  EXPECT_THAT(replay_command("semaphore", shrunk.scenario, seed), HasSubstr("without=requests"));
  const auto again = scenario_of(to_text(shrunk.scenario));
  ASSERT_TRUE(again);
  const auto first = violations_of(shrunk.scenario, kind, seed);
  EXPECT_THAT(first, Not(IsEmpty()));
  EXPECT_THAT(first.front(), HasSubstr("two hold"));
  EXPECT_EQ(first, violations_of(*again, kind, seed));
}

}  // namespace
}  // namespace konductor::sim
