#include "runtime/backoff.hpp"

#include <algorithm>

namespace konductor::runtime {

Duration requested_pause(int retry_after_s) noexcept {
  constexpr int longest_s = 30;
  return std::chrono::seconds{std::clamp(retry_after_s, 0, longest_s)};
}

Duration Backoff::next(double jitter, Duration at_least) {
  // Written so that NaN counts as 0.
  const double part = jitter > 0 ? std::min(jitter, 1.0) : 0.0;
  const Duration step = std::min(next_, most_);
  const Duration half = step / 2;
  const Duration delay = half + Duration{static_cast<Duration::rep>(part * static_cast<double>((step - half).count()))};
  next_ = step > most_ / 2 ? most_ : step * 2;
  return std::max(delay, at_least);
}

}  // namespace konductor::runtime
