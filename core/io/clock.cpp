#include "io/clock.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>

namespace konductor::io {

namespace {

runtime::MonoTime read(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return runtime::MonoTime{std::chrono::seconds{now.tv_sec} +
                           std::chrono::duration_cast<runtime::Duration>(std::chrono::nanoseconds{now.tv_nsec})};
}

}  // namespace

runtime::MonoTime mono_now() noexcept {
  return read(CLOCK_BOOTTIME);
}

runtime::MonoTime thread_now() noexcept {
  return read(CLOCK_THREAD_CPUTIME_ID);
}

runtime::WallTime wall_now() noexcept {
  return std::chrono::time_point_cast<runtime::Duration>(std::chrono::system_clock::now());
}

runtime::Duration BootWaitTraits::to_wait_duration(const runtime::Duration& duration) noexcept {
  return std::min<runtime::Duration>(duration, std::chrono::seconds{1});
}

runtime::Duration BootWaitTraits::to_wait_duration(const runtime::MonoTime& time) noexcept {
  return to_wait_duration(time - mono_now());
}

}  // namespace konductor::io
