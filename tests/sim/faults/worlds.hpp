#pragma once

#include "tests/sim/simulation.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace konductor::sim {

struct FaultWorld {
  std::string family;  // "grants", "rounds"
  std::string name;
  std::function<Outcome(std::uint64_t seed)> run;
};

/// Those in which faults are looked for, the cheap ones first.
std::vector<FaultWorld> fault_worlds();

}  // namespace konductor::sim
