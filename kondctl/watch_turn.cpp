#include "kondctl/watch_turn.hpp"

#include <algorithm>

namespace konductor::kondctl {

namespace {

constexpr Duration long_watch = std::chrono::seconds{1};

}  // namespace

void WatchTurn::begin(std::uint64_t id, MonoTime now) {
  id_ = id;
  since_ = now;
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
