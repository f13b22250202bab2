#include "kondctl/watch_turn.hpp"

#include <algorithm>

namespace konductor::kondctl {

namespace {

constexpr Duration long_watch = std::chrono::seconds{1};
constexpr int least_timeout_s = 240, most_timeout_s = 290;

}  // namespace

void WatchTurn::adopt(std::uint64_t id, MonoTime now) {
  id_ = id;
  since_ = now;
}

int WatchTurn::begin(std::uint64_t id, MonoTime now) {
  adopt(id, now);
  return least_timeout_s + static_cast<int>(jitter_.next() * (most_timeout_s - least_timeout_s + 1));
}

void WatchTurn::end(const std::optional<Error>& error, MonoTime now, RetryDelay& delay) {
  id_ = 0;
  if (error && error->code == Errc::forbidden) {
    polling_ = true;
    look_at_ = now + poll_delay_;
    return;
  }
  // A stream that ended in its time, or whose place in history is gone, is read on at once.
  const bool expected = !error || error->code == Errc::expired;
  look_at_ = now + (expected && now - since_ >= long_watch ? Duration{0} : delay.next(error.value_or(Error{})));
}

void WatchTurn::looked(MonoTime now) {
  poll_delay_ = std::min(poll_delay_ * 2, poll_most_);
  look_at_ = now + poll_delay_;
}

}  // namespace konductor::kondctl
