#include "io/clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <poll.h>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;

TEST(ThreadClock, stands_still_while_the_thread_does_not_run) {
  const auto thread = thread_now();
  const auto mono = mono_now();
  ASSERT_EQ(poll(nullptr, 0, 100), 0);
  EXPECT_LT(thread_now() - thread, 50ms);
  EXPECT_GE(mono_now() - mono, 100ms);
}

TEST(ThreadClock, goes_on_while_it_does) {
  const auto thread = thread_now();
  const auto until = mono_now() + 60s;
  while (thread_now() - thread < 10ms && mono_now() < until) {
  }
  EXPECT_GE(thread_now() - thread, 10ms);
}

}  // namespace
}  // namespace konductor::io
