#pragma once

#include "tests/sim/kind_under_test.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace konductor::sim {

/// What a run is made of; the seed decides the rest.
struct Scenario {
  std::string name;
  int operators = 2;
  int clients = 6;
  std::int64_t limit = 2;
  std::int64_t most_units = 1;  // that one claim asks
  bool recreate = false;        // users delete the primitive and make it again
  bool change_limit = false;
  bool pods = true;
  bool faults = true;
  int turbulent_s = 60;  // of virtual time; then all is quiet, and everything must come to its end
};

struct Outcome {
  std::vector<std::string> violations;
  std::string trace;  // for people: the last lines of the operators' logs, and who still waits
  std::uint64_t grants = 0;
  std::uint64_t expiries = 0;
  std::uint64_t crashes = 0;
  std::uint64_t recreations = 0;
  std::uint64_t writes = 0;
};

/// One world from its beginning to its end.
Outcome run_simulation(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t seed);

}  // namespace konductor::sim
