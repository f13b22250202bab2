#include "io/server_clock.hpp"

#include "kube/time.hpp"

#include <algorithm>
#include <chrono>

namespace konductor::io {

void ServerClock::learn(std::string_view date, runtime::MonoTime now) {
  const auto seconds = kube::parse_http_date(date);
  if (!seconds) return;
  // The header leaves out the fraction: on average half a second.
  const auto middle = seconds->time_since_epoch() + std::chrono::milliseconds{500};
  const runtime::Duration offset = middle - now.time_since_epoch();
  // What the header's coarseness explains is no news.
  if (offset_ && std::chrono::abs(offset - *offset_) <= std::chrono::seconds{1}) return;
  offset_ = offset;
}

runtime::WallTime ServerClock::now(runtime::MonoTime now, runtime::WallTime own) {
  if (!offset_) return own;
  // It never stands still: a renewal with the time of the last one would change nothing, and be none for the operator,
  // while the answer to it shows the holder that it holds.
  last_ = std::max(last_ + std::chrono::microseconds{1}, runtime::WallTime{now.time_since_epoch() + *offset_});
  return last_;
}

}  // namespace konductor::io
