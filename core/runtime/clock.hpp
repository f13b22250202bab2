#pragma once

#include <chrono>

namespace konductor::runtime {

/// Monotonic time as a value; io/ reads the clock (CLOCK_BOOTTIME), tests and simulation make it up.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;
using Duration = std::chrono::microseconds;
/// The API server's wall clock: its Date header plus our monotonic clock. Only for durable deadlines and for people.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

struct Now {
  MonoTime mono;
  WallTime server;
};

}  // namespace konductor::runtime
