#pragma once

#include "base/error.hpp"
#include "kondctl/jitter.hpp"
#include "runtime/backoff.hpp"
#include "runtime/clock.hpp"

#include <cstdint>

namespace konductor::kondctl {

/// Back-off that makes its jitter itself, from a seed, and heeds what the server asks for.
class RetryDelay {
 public:
  RetryDelay(runtime::Duration first, runtime::Duration most, std::uint64_t seed)
      : backoff_(first, most), jitter_(seed) {}

  [[nodiscard]] runtime::Duration next(const Error& error);
  [[nodiscard]] runtime::Duration next() { return next(Error{}); }
  void reset() { backoff_.reset(); }
  /// In [0, 1), another one each time.
  [[nodiscard]] double jitter() { return jitter_.next(); }

 private:
  runtime::Backoff backoff_;
  Jitter jitter_;
};

}  // namespace konductor::kondctl
