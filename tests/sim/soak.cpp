#include "tests/sim/soak.hpp"

#include "tests/sim/kinds.hpp"
#include "tests/sim/rng.hpp"
#include "tests/sim/shrink.hpp"
#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace konductor::sim {
namespace {

using Clock = std::chrono::steady_clock;

/// Shared by the processes of a soak.
struct Tally {
  std::atomic<std::uint64_t> next_seed{0};
  std::atomic<std::uint64_t> seeds{0};
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> faults{0};
  std::atomic<std::uint64_t> grants{0};
  std::atomic<std::uint64_t> violations{0};
};

Tally* share_tally() {
  void* memory = ::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) Tally;
}

void print_failure(const RandomWorld& world, std::uint64_t seed, const Outcome& outcome) {
  const KindUnderTest kind = kind_named(world.kind).value();
  std::printf("seed %llu (%s) breaks a promise: %s\nwhole: %s\n", static_cast<unsigned long long>(seed),
              world.kind.c_str(), outcome.violations.front().c_str(),
              replay_command(world.kind, world.scenario, seed).c_str());
  std::fflush(stdout);
  const Shrunk shrunk = shrink(
      world.scenario, [&](const Scenario& step) { return !run_simulation(step, kind, seed).violations.empty(); });
  const Outcome smallest = run_simulation(shrunk.scenario, kind, seed);
  for (const std::string& violation : smallest.violations) std::printf("%s\n", violation.c_str());
  std::printf("%sshrunk in %d tries, replay: %s\n", smallest.trace.c_str(), shrunk.tries,
              replay_command(world.kind, shrunk.scenario, seed).c_str());
  std::fflush(stdout);
}

void run_worlds(Tally& tally, const SoakSettings& settings, Clock::time_point end) {
  while (Clock::now() < end && tally.violations == 0) {
    const std::uint64_t index = tally.next_seed++;
    if (index >= settings.most_seeds) return;
    const std::uint64_t seed = settings.first_seed + index;
    const RandomWorld world = random_world(seed);
    const Outcome outcome = run_simulation(world.scenario, kind_named(world.kind).value(), seed);
    ++tally.seeds;
    tally.operations += outcome.operations;
    tally.faults += outcome.faults;
    tally.grants += outcome.grants;
    if (outcome.violations.empty()) continue;
    tally.violations += outcome.violations.size();
    print_failure(world, seed, outcome);
  }
}

}  // namespace

RandomWorld random_world(std::uint64_t seed) {
  Rng rng(seed ^ 0x736f616bULL);
  RandomWorld world;
  const auto draw = rng.between(0, 9);
  world.kind = draw < 5 ? "semaphore" : draw < 7 ? "aging" : draw < 9 ? "rwlock" : "bucket";
  Scenario& scenario = world.scenario;
  scenario.name = "random";
  scenario.operators = static_cast<int>(rng.between(1, 4));
  // Mostly few: much happens to each.
  scenario.clients = static_cast<int>(rng.chance(850) ? rng.between(2, 9) : rng.between(10, 30));
  scenario.limit = rng.chance(400) ? 1 : rng.between(1, 5);
  scenario.most_units = rng.chance(500) ? 1 : rng.between(1, scenario.limit);
  scenario.recreate = rng.chance(600);
  scenario.change_limit = rng.chance(400);
  scenario.pods = rng.chance(800);
  scenario.turbulent_s = static_cast<int>(rng.between(20, 90));
  // A world in which everything goes wrong hides what needs a longer quiet stretch.
  for (unsigned i = 0; i < static_cast<unsigned>(Trouble::count); ++i) {
    if (rng.chance(200)) scenario.forgo(static_cast<Trouble>(i));
  }
  return world;
}

int replay(const RandomWorld& world, std::uint64_t seed) {
  const Outcome outcome = run_simulation(world.scenario, kind_named(world.kind).value(), seed);
  for (const std::string& violation : outcome.violations) std::printf("%s\n", violation.c_str());
  std::printf("%s%s seed %llu: %llu operations, %llu faults, %llu grants, violations %zu\n", outcome.trace.c_str(),
              world.kind.c_str(), static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(outcome.operations), static_cast<unsigned long long>(outcome.faults),
              static_cast<unsigned long long>(outcome.grants), outcome.violations.size());
  return outcome.violations.empty() ? 0 : 1;
}

int soak(const SoakSettings& settings) {
  Tally* tally = share_tally();
  if (tally == nullptr) return 2;
  const auto end = Clock::now() + settings.duration;
  std::printf("soak: from seed %llu on, %d at a time\n", static_cast<unsigned long long>(settings.first_seed),
              settings.jobs);
  std::fflush(stdout);
  std::vector<pid_t> workers;
  for (int i = 0; i < std::max(settings.jobs, 1); ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      run_worlds(*tally, settings, end);
      std::fflush(stdout);
      ::_exit(0);
    }
    if (pid > 0) workers.push_back(pid);
  }
  bool died = workers.empty();
  for (const pid_t worker : workers) {
    int status = 0;
    ::waitpid(worker, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    died = true;
    std::printf("a process died with status %d, at a seed up to %llu\n", status,
                static_cast<unsigned long long>(settings.first_seed + tally->next_seed));
  }
  std::printf("soak: %llu seeds, %llu operations, %llu faults, %llu grants, violations %llu\n",
              static_cast<unsigned long long>(tally->seeds), static_cast<unsigned long long>(tally->operations),
              static_cast<unsigned long long>(tally->faults), static_cast<unsigned long long>(tally->grants),
              static_cast<unsigned long long>(tally->violations));
  return died || tally->violations != 0 || tally->seeds == 0 ? 1 : 0;
}

}  // namespace konductor::sim
