#include "tests/sim/faults/worlds.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::sim {
namespace {

struct Options {
  std::string fault = "none";  // as the log names it
  std::uint64_t bound = 1;     // seeds to try
  std::string finds;           // the invariants that find it; empty: there is no fault, and nothing may be found
  std::string means;           // to users
  std::string world;           // only this one, or this family; empty: each
};

constexpr std::string_view usage =
    "usage: sim_fault_NAME --fault NAME --bound SEEDS [--finds REGEX --means SENTENCE] [--world NAME|FAMILY]\n";

bool read(int count, char** words, Options& options) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view flag = words[i];
    const char* value = words[i + 1];
    if (flag == "--fault") {
      options.fault = value;
    } else if (flag == "--bound") {
      options.bound = std::strtoull(value, nullptr, 10);
    } else if (flag == "--finds") {
      options.finds = value;
    } else if (flag == "--means") {
      options.means = value;
    } else if (flag == "--world") {
      options.world = value;
    } else {
      return false;
    }
  }
  return count % 2 == 1 && options.bound > 0;
}

/// True where what was found is what was to be found.
bool judge(const Options& options, const std::string& where, const Outcome& outcome) {
  const std::string& found = outcome.violations.front();
  const std::string head = "fault " + options.fault + ": ";
  if (options.finds.empty()) {
    std::cout << head << where << " is not clean: " << found << "\n" << outcome.trace;
    return false;
  }
  if (!std::regex_search(found, std::regex(options.finds))) {
    std::cout << head << "another check found it, by " << where << ": " << found << "\n  expected: " << options.finds
              << "\n"
              << outcome.trace;
    return false;
  }
  std::cout << head << "found by " << where << ": " << found << "\n  to users: " << options.means << "\n";
  return true;
}

int run(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  std::uint64_t worlds = 0;
  const std::vector<FaultWorld> all = fault_worlds();
  for (std::uint64_t seed = 1; seed <= options.bound; ++seed) {
    for (const FaultWorld& world : all) {
      if (!options.world.empty() && world.name != options.world && world.family != options.world) continue;
      ++worlds;
      const Outcome outcome = world.run(seed);
      if (outcome.violations.empty()) continue;
      const bool right = judge(options, "seed " + std::to_string(seed) + " of world " + world.name, outcome);
      std::cout << "  " << worlds << " worlds in " << seconds() << " s\n";
      return right ? EXIT_SUCCESS : EXIT_FAILURE;
    }
  }
  const bool clean = options.finds.empty() && worlds > 0;
  std::cout << "fault " << options.fault << ": " << (clean ? "clean" : "not found") << " within " << options.bound
            << " seeds (" << worlds << " worlds in " << seconds() << " s)\n";
  return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace konductor::sim

int main(int count, char** words) {
  konductor::sim::Options options;
  if (!konductor::sim::read(count, words, options)) {
    std::cerr << konductor::sim::usage;
    return 2;
  }
  return konductor::sim::run(options);
}
