#include "kondctl/retry_delay.hpp"

namespace konductor::kondctl {

namespace {

// splitmix64: good enough to keep forty clients apart.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

}  // namespace

runtime::Duration RetryDelay::next(const Error& error) {
  return backoff_.next(jitter(), runtime::requested_pause(error.retry_after_s));
}

double RetryDelay::jitter() {
  constexpr double steps = 9007199254740992.0;  // 2^53: every one is a double
  return static_cast<double>(next_random(random_) >> 11U) / steps;
}

}  // namespace konductor::kondctl
