#pragma once

#include <chrono>
#include <cstdint>

namespace konductor::sim {

/// Splitmix64: the same numbers for the same seed on every machine and standard library.
class Rng {
 public:
  // The seed is mixed first: neighbouring ones would else give the same numbers, one draw apart.
  explicit Rng(std::uint64_t seed) : state_(seed) { state_ = next() ^ 0x5851f42d4c957f2dULL; }

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31U);
  }

  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }

  std::chrono::microseconds between(std::chrono::microseconds low, std::chrono::microseconds high) {
    return std::chrono::microseconds{between(low.count(), high.count())};
  }

  /// True `per_mille` times in a thousand.
  bool chance(int per_mille) { return between(0, 999) < per_mille; }

  /// A generator of its own, so that one part's draws do not shift another's.
  Rng fork() { return Rng{next()}; }

 private:
  std::uint64_t state_;
};

}  // namespace konductor::sim
