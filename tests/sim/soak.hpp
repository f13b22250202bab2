#pragma once

#include "tests/sim/scenario.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace konductor::sim {

/// A world drawn from a seed.
struct RandomWorld {
  std::string kind;
  Scenario scenario;
};
RandomWorld random_world(std::uint64_t seed);

struct SoakSettings {
  std::chrono::microseconds duration{0};
  std::uint64_t first_seed = 1;
  std::uint64_t most_seeds = ~std::uint64_t{0};
  int jobs = 1;  // processes
};

/// Runs one random world after the other, and ends with one line on stdout. The exit code: 1 where a promise was broken
/// or a process died; then the seed was printed, and the smallest world in which it fails.
int soak(const SoakSettings& settings);

/// Runs just this world and prints what comes of it.
int replay(const RandomWorld& world, std::uint64_t seed);

}  // namespace konductor::sim
