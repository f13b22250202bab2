#pragma once

#include "tests/sim/sim_operator.hpp"
#include "tests/sim/world.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace konductor::sim {

/// What goes wrong in the worlds of kinds that count, while there is turbulence.
inline constexpr Faults rough_weather{.request_lost = 20,
                                      .answer_lost = 25,
                                      .late_commit = 12,
                                      .hung = 8,
                                      .throttled = 10,
                                      .slow = 60,
                                      .watch_cut = 15,
                                      .watch_gone = 300,
                                      .watch_stalled = 12,
                                      .watch_dead = 4};

/// The operators of one world, of which one is elected.
class Crew {
 public:
  Crew(World& world, const runtime::KindDeclaration& kind) : world_(world), kind_(kind) {}

  void start(int count);
  void on_commit(const Commit& commit);
  /// One of them crashes, stands still, is cut off, leads although nobody elected it, or has its clock moved.
  void disturb(Rng& rng);
  /// All of them run, and only who is elected leads.
  void quieten();
  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }

 private:
  void crash(SimOperator& one, Rng& rng);
  void start_again(SimOperator& one, Duration later);

  World& world_;
  const runtime::KindDeclaration& kind_;
  std::vector<std::unique_ptr<SimOperator>> operators_;
  std::uint64_t crashes_ = 0;
};

}  // namespace konductor::sim
