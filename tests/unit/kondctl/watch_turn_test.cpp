#include "kondctl/watch_turn.hpp"

#include "claim_world.hpp"
#include "wait_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::kondctl::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::Ge;
using testing::Le;

constexpr MonoTime began{seconds{1000}};

WatchTurn turn_of(std::uint64_t seed) {
  DialogueSettings settings;
  settings.seed = seed;
  return {settings, began};
}

/// What the watches of a world ask the server for.
std::vector<int> timeouts(const DialogueWorld& world) {
  constexpr std::string_view key = "timeoutSeconds=";
  std::vector<int> found;
  for (const std::string& target : world.watched) {
    found.push_back(std::atoi(target.c_str() + target.find(key) + key.size()));
  }
  return found;
}

TEST(WatchTurn, a_thousand_that_begin_together_end_apart) {
  std::map<int, int> ending;  // how many, by second
  for (std::uint64_t seed = 0; seed < 1000; ++seed) ++ending[turn_of(seed).begin(1, began)];
  EXPECT_EQ(ending.begin()->first, 240);
  EXPECT_EQ(ending.rbegin()->first, 290);
  for (const auto& [second, how_many] : ending) EXPECT_LE(how_many, 50) << "after " << second << " s";
}

TEST(WatchTurn, runs_for_another_time_each_time) {
  WatchTurn turn = turn_of(7);
  std::set<int> times;
  for (std::uint64_t id = 1; id <= 10; ++id) times.insert(turn.begin(id, began));
  EXPECT_GE(times.size(), 5U);
}

TEST(WatchTurn, is_what_each_machine_asks_the_server_for) {
  std::set<int> waits, claims;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    WaitWorld wait(WaitWorld::Do::wait);
    wait.settings.seed = seed;
    wait.at(seconds{260}, [](WaitWorld& w) { w.cut_watch(std::nullopt); });
    wait.at(seconds{280}, [](WaitWorld& w) { w.set_phase("Begun", "3 of 3 have come"); });
    EXPECT_EQ(wait.run().code, ExitCode::done);
    EXPECT_EQ(timeouts(wait).size(), 2U);
    EXPECT_THAT(timeouts(wait), Each(AllOf(Ge(240), Le(290))));
    for (const int timeout : timeouts(wait)) waits.insert(timeout);

    ClaimWorld claim(true);
    claim.settings.seed = seed;
    claim.on_created = [](ClaimWorld& w) {
      w.set_waiting("Waiting", "3 of 3 are held");
      w.at(seconds{20}, [](ClaimWorld& later) { later.grant(); });
    };
    EXPECT_EQ(claim.run().code, ExitCode::done);
    EXPECT_THAT(timeouts(claim), Each(AllOf(Ge(240), Le(290))));
    for (const int timeout : timeouts(claim)) claims.insert(timeout);
  }
  EXPECT_GE(waits.size(), 8U);
  EXPECT_GE(claims.size(), 5U);
}

}  // namespace
}  // namespace konductor::kondctl::test
