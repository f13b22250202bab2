#include "runtime/pacer.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace konductor::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonoTime start{seconds{100}};

TEST(Pacer, lets_a_burst_through_and_spreads_the_rest) {
  Pacer pacer(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pacer.reserve(start), start) << i;
  EXPECT_EQ(pacer.reserve(start), start + milliseconds{100});
  EXPECT_EQ(pacer.reserve(start), start + milliseconds{200});
  EXPECT_EQ(pacer.reserve(start + milliseconds{50}), start + milliseconds{300}) << "in the order of asking";
}

TEST(Pacer, saves_up_no_more_than_a_burst) {
  Pacer pacer(10, 2);
  for (int i = 0; i < 5; ++i) pacer.reserve(start);
  const auto later = start + seconds{60};
  EXPECT_EQ(pacer.reserve(later), later);
  EXPECT_EQ(pacer.reserve(later), later);
  EXPECT_EQ(pacer.reserve(later), later + milliseconds{100});
}

TEST(Pacer, never_exceeds_its_rate_over_any_while) {
  Pacer pacer(50, 5);
  MonoTime last = start;
  for (int i = 0; i < 500; ++i) last = std::max(last, pacer.reserve(start + milliseconds{i}));
  EXPECT_EQ(last, start + milliseconds{20} * (500 - 5));
}

TEST(Pacer, without_a_rate_holds_up_nobody) {
  Pacer pacer(0, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(pacer.reserve(start), start);
}

TEST(Pacer, refuses_what_it_would_have_to_delay) {
  Pacer pacer(2, 3);
  MonoTime now{seconds{1000}};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pacer.take(now)) << i;
  EXPECT_FALSE(pacer.take(now));
  now += milliseconds{499};
  EXPECT_FALSE(pacer.take(now));
  now += milliseconds{1};
  EXPECT_TRUE(pacer.take(now));
  EXPECT_FALSE(pacer.take(now));
  now += milliseconds{1250};
  EXPECT_TRUE(pacer.take(now));
  EXPECT_TRUE(pacer.take(now));
  EXPECT_FALSE(pacer.take(now));
  now += milliseconds{250};
  EXPECT_TRUE(pacer.take(now)) << "half an interval was not lost";
  now += seconds{3600};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pacer.take(now)) << i;
  EXPECT_FALSE(pacer.take(now)) << "no more than a burst was saved up";
}

}  // namespace
}  // namespace konductor::runtime
