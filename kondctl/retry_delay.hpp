#pragma once

#include "base/error.hpp"
#include "runtime/backoff.hpp"
#include "runtime/clock.hpp"

#include <cstdint>

namespace konductor::kondctl {

/// Back-off that makes its jitter itself, from a seed, and heeds what the server asks for.
class RetryDelay {
 public:
  RetryDelay(runtime::Duration first, runtime::Duration most, std::uint64_t seed)
      : backoff_(first, most), random_(seed) {}

  [[nodiscard]] runtime::Duration next(const Error& error);
  [[nodiscard]] runtime::Duration next() { return next(Error{}); }
  void reset() { backoff_.reset(); }
  /// In [0, 1), another one each time.
  [[nodiscard]] double jitter();

 private:
  runtime::Backoff backoff_;
  std::uint64_t random_;
};

}  // namespace konductor::kondctl
