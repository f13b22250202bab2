#include "tests/sim/faults/worlds.hpp"

#include "tests/sim/kinds.hpp"
#include "tests/sim/stale_leader.hpp"

#include <utility>

namespace konductor::sim {
namespace {

FaultWorld random(const Scenario& scenario, KindUnderTest (*kind)()) {
  return {"grants", scenario.name,
          [scenario, kind = kind()](std::uint64_t seed) { return run_simulation(scenario, kind, seed); }};
}

FaultWorld stale_leader(std::string name, StaleLeader::Early early) {
  return {"grants", std::move(name), [early](std::uint64_t seed) {
            StaleLeader story(seed, early);
            story.run();
            Outcome outcome;
            outcome.violations = story.oracle().violations();
            outcome.trace = story.stale().counters() + "\n";
            return outcome;
          }};
}

FaultWorld rounds(const RoundsScenario& scenario) {
  return {"rounds", scenario.name, [scenario, kind = barrier_kind()](std::uint64_t seed) {
            Outcome outcome;
            outcome.violations = Rounds(scenario, kind, seed).run();
            return outcome;
          }};
}

}  // namespace

std::vector<FaultWorld> fault_worlds() {
  std::vector<FaultWorld> worlds = {
      stale_leader("stale leader", StaleLeader::Early::at_once),
      stale_leader("stale leader, marked", StaleLeader::Early::after_a_holder),
      stale_leader("stale leader, clock set back", StaleLeader::Early::newer_by_time),
      random({.name = "two", .clients = 6, .limit = 2}, semaphore_kind),
      random({.name = "re-created", .clients = 5, .limit = 1, .recreate = true}, semaphore_kind),
      random({.name = "weights", .clients = 8, .limit = 4, .most_units = 3, .recreate = true, .change_limit = true},
             semaphore_kind),
      random({.name = "aging", .clients = 10, .limit = 3, .most_units = 3, .recreate = true, .change_limit = true},
             aging_semaphore_kind),
      random({.name = "readers", .clients = 7, .limit = 3, .recreate = true}, rwlock_kind),
  };
  for (const auto& scenario : round_scenarios()) worlds.push_back(rounds(scenario));
  return worlds;
}

}  // namespace konductor::sim
