#include "runtime/pacer.hpp"

#include <algorithm>

namespace konductor::runtime {

Pacer::Pacer(int per_second, int burst)
    : interval_(per_second <= 0 ? Duration{0}
                                : std::chrono::duration_cast<Duration>(std::chrono::seconds{1}) / per_second),
      tolerance_(interval_ * (std::max(burst, 1) - 1)) {}

MonoTime Pacer::next(MonoTime now) const noexcept {
  return std::max(now, due_ - tolerance_);
}

MonoTime Pacer::reserve(MonoTime now) noexcept {
  const MonoTime at = next(now);
  due_ = std::max(due_, now) + interval_;
  return at;
}

bool Pacer::take(MonoTime now) noexcept {
  return next(now) <= now && reserve(now) == now;
}

}  // namespace konductor::runtime
