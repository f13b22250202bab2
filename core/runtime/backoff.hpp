#pragma once

#include "runtime/clock.hpp"

namespace konductor::runtime {

/// The pause that a server asked for by Retry-After, bounded: an answer that asks for an hour must not stop us for one.
[[nodiscard]] Duration requested_pause(int retry_after_s) noexcept;

/// Exponential back-off. It has no random source of its own: jitter comes in as a number.
class Backoff {
 public:
  Backoff(Duration first, Duration most) : first_(first), most_(most), next_(first) {}

  /// How long to wait before the next attempt: between half of the current step and all of it, as `jitter` in [0, 1)
  /// says, and never less than `at_least` (what a server asked for). Doubles the step up to the bound.
  Duration next(double jitter, Duration at_least = Duration{0});

  /// The next wait is the first again.
  void reset() { next_ = first_; }

 private:
  Duration first_;
  Duration most_;
  Duration next_;
};

}  // namespace konductor::runtime
