#include "runtime/backoff.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace konductor::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, doubles_up_to_its_bound) {
  Backoff backoff(100ms, 1s);
  for (const Duration half : {50ms, 100ms, 200ms, 400ms, 500ms, 500ms}) EXPECT_EQ(backoff.next(0), half);
}

TEST(Backoff, spreads_between_half_a_step_and_all_of_it) {
  EXPECT_EQ(Backoff(100ms, 1s).next(0.5), 75ms);
  EXPECT_LT(Backoff(100ms, 1s).next(0.999), 100ms);
}

TEST(Backoff, starts_again_after_a_reset) {
  Backoff backoff(100ms, 1s);
  backoff.next(0);
  backoff.next(0);
  backoff.reset();
  EXPECT_EQ(backoff.next(0), 50ms);
}

TEST(Backoff, never_waits_less_than_the_server_asked) {
  Backoff backoff(100ms, 1s);
  EXPECT_EQ(backoff.next(0.9, 7s), 7s);
  EXPECT_EQ(backoff.next(0, 1ms), 100ms);
}

TEST(RequestedPause, is_kept_up_to_half_a_minute) {
  EXPECT_EQ(requested_pause(0), 0s);
  EXPECT_EQ(requested_pause(7), 7s);
  EXPECT_EQ(requested_pause(3600), 30s);
  EXPECT_EQ(requested_pause(-1), 0s);
}

TEST(Backoff, survives_jitter_out_of_its_range) {
  EXPECT_EQ(Backoff(100ms, 1s).next(-3), 50ms);
  EXPECT_EQ(Backoff(100ms, 1s).next(1e300), 100ms);
  EXPECT_EQ(Backoff(100ms, 1s).next(std::numeric_limits<double>::quiet_NaN()), 50ms);
}

TEST(Backoff, does_not_overflow) {
  Backoff backoff(1s, Duration::max());
  for (int i = 0; i < 200; ++i) EXPECT_GT(backoff.next(0), 0s);
}

}  // namespace
}  // namespace konductor::runtime
