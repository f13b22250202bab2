#include "kube/time.hpp"
#include "tests/sim/kinds.hpp"
#include "tests/sim/soak.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <unistd.h>

namespace {

constexpr const char* usage =
    "sim_soak --duration 10m [--jobs N] [--first-seed N] [--seeds N]\n"
    "sim_soak --kind semaphore|aging|rwlock|bucket --seed N --scenario TEXT   runs one world again\n"
    "sim_soak --seed N                                                        the world that the seed draws\n";

int refuse(const std::string& why) {
  std::fprintf(stderr, "sim_soak: %s\n%s", why.c_str(), usage);
  return 2;
}

std::uint64_t number(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace konductor;
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (!name.starts_with("--") || i + 1 >= argc) return refuse("what is " + name + "?");
    flags[name.substr(2)] = argv[i + 1];
  }
  for (const auto& [name, value] : flags) {
    const std::string known = " duration jobs first-seed seeds kind seed scenario ";
    if (known.find(" " + name + " ") == std::string::npos) return refuse("there is no --" + name);
  }
  if (flags.contains("seed")) {
    const std::uint64_t seed = number(flags["seed"]);
    sim::RandomWorld world = sim::random_world(seed);
    if (flags.contains("kind")) world.kind = flags["kind"];
    if (!sim::kind_named(world.kind)) return refuse("there is no kind " + world.kind);
    if (flags.contains("scenario")) {
      const auto scenario = sim::scenario_of(flags["scenario"]);
      if (!scenario) return refuse("not a scenario: " + flags["scenario"]);
      world.scenario = *scenario;
    }
    return sim::replay(world, seed);
  }
  sim::SoakSettings settings;
  const auto duration = kube::parse_duration(flags.contains("duration") ? flags["duration"] : "1m");
  if (!duration) return refuse("not a duration: " + flags["duration"]);
  settings.duration = *duration;
  settings.jobs = flags.contains("jobs") ? static_cast<int>(number(flags["jobs"]))
                                         : static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  // Another soak looks at other worlds.
  settings.first_seed =
      flags.contains("first-seed")
          ? number(flags["first-seed"])
          : static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())) * 1000;
  if (flags.contains("seeds")) settings.most_seeds = number(flags["seeds"]);
  return sim::soak(settings);
}
