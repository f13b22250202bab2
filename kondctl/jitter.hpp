#pragma once

#include <cstdint>

namespace konductor::kondctl {

/// Numbers that keep clients apart which began together, from a seed: the same ones each time.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : random_(seed) {}

  /// In [0, 1).
  [[nodiscard]] double next();

 private:
  std::uint64_t random_;
};

}  // namespace konductor::kondctl
