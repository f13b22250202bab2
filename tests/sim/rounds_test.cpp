#include "tests/sim/rounds.hpp"

#include "tests/sim/kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <ostream>
#include <string>

namespace konductor::sim {

void PrintTo(const RoundsScenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t worlds = 15;  // a sanitizer looks at the same code in each
#else
constexpr std::uint64_t worlds = 80;
#endif

struct RoundWorlds : testing::TestWithParam<RoundsScenario> {};

TEST_P(RoundWorlds, keep_all_promises) {
  const RoundsKind kind = barrier_kind();
  std::uint64_t opened = 0, failed = 0, crashes = 0, retries = 0, edits = 0;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    Rounds world(GetParam(), kind, seed);
    ASSERT_THAT(world.run(), testing::IsEmpty()) << "seed " << seed;
    opened += world.oracle().opened();
    failed += world.oracle().failed();
    crashes += world.crashes();
    retries += world.retries();
    edits += world.edits();
  }
  std::cout << "[ worlds   ] " << worlds << ": rounds opened " << opened << ", failed " << failed
            << ", operator crashes " << crashes << ", retries " << retries << ", edits " << edits << "\n";
  // A run in which nothing happens would prove nothing.
  EXPECT_GT(opened, worlds / 2);
  if (GetParam().timeout) {
    EXPECT_GT(failed, worlds / 8);
  } else {
    EXPECT_EQ(failed, 0U);
  }
  EXPECT_GT(crashes, worlds);
  EXPECT_GT(retries, worlds);
  EXPECT_GT(edits, worlds);
}

std::string name_of(const testing::TestParamInfo<RoundsScenario>& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, ' ', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Each, RoundWorlds, testing::ValuesIn(round_scenarios()), name_of);

}  // namespace
}  // namespace konductor::sim
