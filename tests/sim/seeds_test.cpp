#include "tests/sim/kinds.hpp"
#include "tests/sim/simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

namespace konductor::sim {
namespace {

constexpr std::size_t most_shown = 8;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string report(const Scenario& scenario, const Outcome& outcome, std::uint64_t seed) {
  std::string text = scenario.name + ", seed " + std::to_string(seed) + ":\n";
  for (std::size_t i = 0; i < std::min(outcome.violations.size(), most_shown); ++i)
    text += outcome.violations[i] + "\n";
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  return text + outcome.trace + "rerun: SIM_SEED=" + std::to_string(seed) +
         " bin/sim_seeds --gtest_filter=" + test->test_suite_name() + "." + test->name();
}

/// Each seed is a world of its own. SIM_SEED=n runs only that one, SIM_SEEDS=n that many.
void run_seeds(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t count) {
  const std::uint64_t only = number_from_environment("SIM_SEED", 0);
  const std::uint64_t first = only == 0 ? 1 : only;
  const std::uint64_t last = only == 0 ? number_from_environment("SIM_SEEDS", count) : only;
  Outcome total;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const Outcome outcome = run_simulation(scenario, kind, seed);
    ASSERT_TRUE(outcome.violations.empty()) << report(scenario, outcome, seed);
    total.grants += outcome.grants;
    total.expiries += outcome.expiries;
    total.crashes += outcome.crashes;
    total.recreations += outcome.recreations;
    total.writes += outcome.writes;
  }
  std::cout << "[ worlds   ] " << last - first + 1 << ": grants " << total.grants << ", expiries " << total.expiries
            << ", operator crashes " << total.crashes << ", re-creations " << total.recreations << ", writes "
            << total.writes << "\n";
  // A run in which nothing happens would prove nothing.
  EXPECT_GT(total.grants, last - first);
}

constexpr std::uint64_t seeds = 50;

TEST(SemaphoreWorld, keeps_its_promises_with_limit_two) {
  run_seeds({.name = "limit two", .clients = 6, .limit = 2}, semaphore_kind(), seeds);
}

TEST(SemaphoreWorld, keeps_its_promises_with_limit_one_and_re_creations) {
  run_seeds({.name = "limit one, re-creations", .clients = 5, .limit = 1, .recreate = true}, semaphore_kind(), seeds);
}

TEST(SemaphoreWorld, keeps_its_promises_with_weights_and_a_moving_limit) {
  run_seeds({.name = "weights", .clients = 8, .limit = 4, .most_units = 3, .recreate = true, .change_limit = true},
            semaphore_kind(), seeds);
}

TEST(SemaphoreWorld, keeps_its_promises_with_thirty_clients) {
  run_seeds({.name = "thirty", .operators = 3, .clients = 30, .limit = 5, .most_units = 3, .change_limit = true},
            semaphore_kind(), seeds / 10);
}

TEST(SemaphoreWorld, keeps_its_promises_with_priorities_that_age_and_are_capped) {
  run_seeds({.name = "aging", .clients = 10, .limit = 3, .most_units = 3, .recreate = true, .change_limit = true},
            aging_semaphore_kind(), seeds);
}

TEST(ReadersWriterWorld, lets_writers_be_alone) {
  run_seeds({.name = "readers and writers", .clients = 7, .limit = 3, .recreate = true}, rwlock_kind(), seeds / 2);
}

TEST(TokenBucketWorld, consumes_no_more_than_flows_in) {
  run_seeds({.name = "bucket", .clients = 8, .limit = 4, .most_units = 3, .recreate = true}, token_bucket_kind(),
            seeds / 2);
}

TEST(Simulation, repeats_itself_for_the_same_seed) {
  const Scenario scenario{.name = "again", .recreate = true, .change_limit = true};
  const KindUnderTest kind = semaphore_kind();
  const Outcome first = run_simulation(scenario, kind, 7);
  const Outcome second = run_simulation(scenario, kind, 7);
  EXPECT_EQ(first.writes, second.writes);
  EXPECT_EQ(first.grants, second.grants);
  EXPECT_EQ(first.violations, second.violations);
}

}  // namespace
}  // namespace konductor::sim
