#pragma once

#include "tests/sim/scenario.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace konductor::sim {

/// Whether the seed still fails with this scenario. Runs are deterministic: one try is enough.
using StillFails = std::function<bool(const Scenario&)>;

struct Shrunk {
  Scenario scenario;  // the smallest that was found; no single step from it fails still, unless `most_tries` were made
  int tries = 0;
};

/// Makes a failing scenario smaller: fewer kinds of trouble, fewer disturbances, clients and operators, less time.
Shrunk shrink(const Scenario& failing, const StillFails& still_fails, int most_tries = 150);

/// The command that runs just this world again.
std::string replay_command(const std::string& kind, const Scenario& scenario, std::uint64_t seed);

}  // namespace konductor::sim
