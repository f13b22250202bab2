#pragma once

#include "runtime/clock.hpp"

namespace konductor::runtime {

/// Exponential back-off. It has no random source of its own: jitter comes in as a number.
class Backoff {
 public:
  Backoff(Duration first, Duration most) : first_(first), most_(most), next_(first) {}

  /// How long to wait before the next attempt: between half of the current step and all of it, as `jitter` in [0, 1)
  /// says, and never less than `at_least` (what a server's Retry-After asks). Doubles the step up to the bound.
  Duration next(double jitter, Duration at_least = Duration{0});

  /// The next wait is the first again.
  void reset() { next_ = first_; }

 private:
  Duration first_;
  Duration most_;
  Duration next_;
};

}  // namespace konductor::runtime
