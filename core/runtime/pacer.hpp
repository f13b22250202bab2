#pragma once

#include "runtime/clock.hpp"

namespace konductor::runtime {

/// Bounds a rate: `burst` at once, then `per_second` evenly (the generic cell rate algorithm).
class Pacer {
 public:
  /// 0 per second: no bound.
  Pacer(int per_second, int burst);

  /// When the next one may be sent: `now`, or later, in the order of asking.
  MonoTime reserve(MonoTime now) noexcept;
  /// For what is left out rather than late: false where it could not be sent now.
  bool take(MonoTime now) noexcept;

 private:
  [[nodiscard]] MonoTime next(MonoTime now) const noexcept;

  Duration interval_;
  Duration tolerance_;
  MonoTime due_{};  // of the next one, were there no burst
};

}  // namespace konductor::runtime
