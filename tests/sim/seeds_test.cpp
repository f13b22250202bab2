#include "tests/sim/kinds.hpp"
#include "tests/sim/shrink.hpp"
#include "tests/sim/simulation.hpp"
#include "tests/sim/soak.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <ostream>
#include <string>

namespace konductor::sim {
namespace {

constexpr std::size_t most_shown = 8;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t share = 8;  // a sanitizer looks at the same code in each world
#else
constexpr std::uint64_t share = 1;
#endif

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// A world that is run for many seeds.
struct Case {
  const char* name;
  const char* kind;  // as kind_named() knows it; nullptr: the seed draws kind and scenario
  Scenario scenario;
  std::uint64_t seeds;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

const Case cases[] = {
    {"semaphore_with_limit_two", "semaphore", {.clients = 6, .limit = 2}, 160},
    {"semaphore_with_limit_one_and_re_creations", "semaphore", {.clients = 5, .limit = 1, .recreate = true}, 160},
    {"semaphore_with_weights_and_a_moving_limit",
     "semaphore",
     {.clients = 8, .limit = 4, .most_units = 3, .recreate = true, .change_limit = true},
     160},
    {"semaphore_with_thirty_clients",
     "semaphore",
     {.operators = 3, .clients = 30, .limit = 5, .most_units = 3, .change_limit = true},
     20},
    {"semaphore_with_priorities_that_age_and_are_capped",
     "aging",
     {.clients = 10, .limit = 3, .most_units = 3, .recreate = true, .change_limit = true},
     120},
    {"readers_and_writers", "rwlock", {.clients = 7, .limit = 3, .recreate = true}, 100},
    {"token_bucket", "bucket", {.clients = 8, .limit = 4, .most_units = 3, .recreate = true}, 100},
    {"drawn_from_the_seed", nullptr, {}, 200},
};
/// Of each world, so that the runner has several to hand out at once.
constexpr std::uint64_t parts = 4;

std::string report(const RandomWorld& world, const KindUnderTest& kind, const Outcome& outcome, std::uint64_t seed) {
  std::string text = "seed " + std::to_string(seed) + ":\n";
  for (std::size_t i = 0; i < std::min(outcome.violations.size(), most_shown); ++i)
    text += outcome.violations[i] + "\n";
  text += outcome.trace + "rerun: " + replay_command(world.kind, world.scenario, seed) + "\n";
  const Shrunk shrunk = shrink(
      world.scenario, [&](const Scenario& step) { return !run_simulation(step, kind, seed).violations.empty(); });
  return text + "shrunk: " + replay_command(world.kind, shrunk.scenario, seed);
}

class Worlds : public testing::TestWithParam<std::tuple<Case, std::uint64_t>> {};

/// Each seed is a world of its own. SIM_SEED=n runs only that one, SIM_TIMES=n that many times as many.
TEST_P(Worlds, keep_all_promises) {
  const auto& [one, part] = GetParam();
  const std::uint64_t only = number_from_environment("SIM_SEED", 0);
  const std::uint64_t seeds = std::max(one.seeds * number_from_environment("SIM_TIMES", 1) / share, parts);
  Outcome total;
  std::uint64_t worlds = 0;
  for (std::uint64_t seed = only != 0 ? only : 1 + part; seed <= std::max(seeds, only); seed += parts) {
    if (only != 0 && seed != only) break;
    const RandomWorld world = one.kind == nullptr ? random_world(seed) : RandomWorld{one.kind, one.scenario};
    const KindUnderTest kind = kind_named(world.kind).value();
    const Outcome outcome = run_simulation(world.scenario, kind, seed);
    ASSERT_TRUE(outcome.violations.empty()) << report(world, kind, outcome, seed);
    ++worlds;
    total.grants += outcome.grants;
    total.expiries += outcome.expiries;
    total.crashes += outcome.crashes;
    total.elections += outcome.elections;
    total.recreations += outcome.recreations;
    total.operations += outcome.operations;
    total.faults += outcome.faults;
  }
  std::cout << "[ worlds   ] " << worlds << ": grants " << total.grants << ", expiries " << total.expiries
            << ", operator crashes " << total.crashes << ", elections " << total.elections << ", re-creations "
            << total.recreations << ", operations " << total.operations << ", faults " << total.faults << "\n";
  // A run in which nothing happens would prove nothing.
  EXPECT_GE(total.grants, worlds);
  EXPECT_GE(total.elections, worlds);
}

INSTANTIATE_TEST_SUITE_P(Simulation, Worlds,
                         testing::Combine(testing::ValuesIn(cases), testing::Range<std::uint64_t>(0, parts)),
                         [](const auto& test) {
                           return std::string{std::get<0>(test.param).name} + "_" +
                                  std::to_string(std::get<1>(test.param));
                         });

TEST(Simulation, repeats_itself_for_the_same_seed) {
  const Scenario scenario{.recreate = true, .change_limit = true};
  const KindUnderTest kind = semaphore_kind();
  const Outcome first = run_simulation(scenario, kind, 7);
  const Outcome second = run_simulation(scenario, kind, 7);
  EXPECT_EQ(first.writes, second.writes);
  EXPECT_EQ(first.operations, second.operations);
  EXPECT_EQ(first.grants, second.grants);
  EXPECT_EQ(first.violations, second.violations);
}

}  // namespace
}  // namespace konductor::sim
