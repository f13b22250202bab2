#include "tests/sim/shrink.hpp"

#include <cstddef>
#include <vector>

namespace konductor::sim {
namespace {

/// From the scenario to ones that are smaller by one step, the largest steps first.
std::vector<Scenario> smaller(const Scenario& from) {
  std::vector<Scenario> steps;
  const auto add = [&](const auto& change) {
    Scenario step = from;
    change(step);
    steps.push_back(std::move(step));
  };
  const auto lower = [&](auto Scenario::* number, int least) {
    const auto now = from.*number;
    for (const auto to : {static_cast<int>(now) / 4, static_cast<int>(now) / 2, static_cast<int>(now) - 1}) {
      if (to >= least && to < now) add([&](Scenario& step) { step.*number = to; });
    }
  };
  for (unsigned i = 0; i < static_cast<unsigned>(Trouble::count); ++i) {
    const auto trouble = static_cast<Trouble>(i);
    if (from.allows(trouble)) add([&](Scenario& step) { step.forgo(trouble); });
  }
  // That many are never reached: what counts is how many there can be.
  if (from.disturbances > 100)
    add([](Scenario& step) { step.disturbances = 100; });
  else
    lower(&Scenario::disturbances, 0);
  lower(&Scenario::clients, 1);
  lower(&Scenario::operators, 1);
  lower(&Scenario::turbulent_s, 1);
  lower(&Scenario::most_units, 1);
  lower(&Scenario::limit, 1);
  if (from.pods) add([](Scenario& step) { step.pods = false; });
  return steps;
}

}  // namespace

Shrunk shrink(const Scenario& failing, const StillFails& still_fails, int most_tries) {
  Shrunk result{failing, 0};
  for (bool again = true; again;) {
    again = false;
    std::vector<Scenario> steps = smaller(result.scenario);
    // After a success it goes on where it is: what failed to fail before mostly does so still.
    for (std::size_t i = 0; i < steps.size();) {
      if (result.tries >= most_tries) return result;
      ++result.tries;
      if (!still_fails(steps[i])) {
        ++i;
        continue;
      }
      again = true;
      result.scenario = steps[i];
      steps = smaller(result.scenario);
    }
  }
  return result;
}

std::string replay_command(const std::string& kind, const Scenario& scenario, std::uint64_t seed) {
  return "bin/sim_soak --kind " + kind + " --seed " + std::to_string(seed) + " --scenario " + to_text(scenario);
}

}  // namespace konductor::sim
