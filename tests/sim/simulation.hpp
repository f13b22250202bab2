#pragma once

#include "tests/sim/kind_under_test.hpp"
#include "tests/sim/scenario.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace konductor::sim {

struct Outcome {
  std::vector<std::string> violations;
  std::string trace;  // for people: the last lines of the operators' logs, and who still waits
  std::uint64_t grants = 0;
  std::uint64_t expiries = 0;
  std::uint64_t crashes = 0;
  std::uint64_t recreations = 0;
  std::uint64_t writes = 0;
  std::uint64_t operations = 0;  // requests to the API server
  std::uint64_t faults = 0;      // disturbances, and harm done by the network
  std::uint64_t elections = 0;   // how often the leader's Lease changed hands
};

/// One world from its beginning to its end.
Outcome run_simulation(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t seed);

}  // namespace konductor::sim
