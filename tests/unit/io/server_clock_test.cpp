#include "io/server_clock.hpp"

#include "io/clock.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;

constexpr runtime::MonoTime start{1h};
constexpr runtime::WallTime own{100000h};
// 2024-01-15T10:30:00Z
constexpr runtime::WallTime server{1705314600s};
constexpr const char* date = "Mon, 15 Jan 2024 10:30:00 GMT";

TEST(ServerClock, is_our_own_before_the_server_spoke) {
  ServerClock clock;
  EXPECT_EQ(clock.now(start, own), own);
  clock.learn("yesterday", start);
  EXPECT_EQ(clock.now(start, own), own);
}

TEST(ServerClock, goes_on_with_the_monotonic_clock) {
  ServerClock clock;
  clock.learn(date, start);
  EXPECT_EQ(clock.now(start, own), server + 500ms);
  EXPECT_EQ(clock.now(start + 90s, own), server + 90s + 500ms);
}

TEST(ServerClock, is_not_shaken_by_the_coarseness_of_dates) {
  ServerClock clock;
  clock.learn(date, start);
  clock.learn(date, start + 900ms);
  EXPECT_EQ(clock.now(start + 1s, own), server + 1500ms);
}

TEST(ServerClock, follows_the_server_forward) {
  ServerClock clock;
  clock.learn(date, start);
  clock.learn("Mon, 15 Jan 2024 10:31:00 GMT", start + 1s);
  EXPECT_EQ(clock.now(start + 1s, own), server + 60s + 500ms);
}

// Two renewals must differ, whatever the server's clock does: one that changes nothing is none for the operator.
TEST(ServerClock, creeps_rather_than_going_back_or_standing) {
  ServerClock clock;
  clock.learn(date, start);
  const auto before = clock.now(start, own);
  clock.learn("Mon, 15 Jan 2024 10:29:00 GMT", start + 1s);
  const auto later = clock.now(start + 1s, own);
  EXPECT_GT(later, before);
  EXPECT_LT(later, before + 1ms);
  EXPECT_GT(clock.now(start + 2s, own), later);
  EXPECT_GT(clock.now(start + 2min, own), before);
}

TEST(MonotonicClock, does_not_go_back) {
  const auto first = mono_now();
  EXPECT_LE(first, mono_now());
}

}  // namespace
}  // namespace konductor::io
