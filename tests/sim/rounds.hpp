#pragma once

#include "tests/sim/crew.hpp"
#include "tests/sim/round_oracle.hpp"
#include "tests/sim/workers.hpp"
#include "tests/sim/world.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace konductor::sim {

/// What world it is; the seed draws the rest.
struct RoundsScenario {
  std::string name;
  enum class Quorum { none, immediate, at_timeout } quorum = Quorum::none;
  std::optional<Duration> timeout = {};
  Duration spread = std::chrono::seconds{15};  // within so long all come to a round
  int rounds = 1;                              // more than one: reusable
  bool pods_vanish = false;                    // also before anybody could ask who they were
  int recreate = 100;                          // per mille of some disturbances: the primitive is deleted and made anew
};

/// One primitive of a kind that counts participants in rounds: workers of Jobs come to it round by round, some in one
/// Pod after the other, some ahead of the others or again after a restart; users edit it and delete claims; operators
/// and the network suffer everything. A RoundOracle looks at every write.
class Rounds {
 public:
  Rounds(RoundsScenario scenario, const RoundsKind& kind, std::uint64_t seed);

  /// From turbulence to rest. What was broken.
  std::vector<std::string> run();

  [[nodiscard]] const RoundOracle& oracle() const { return oracle_; }
  [[nodiscard]] std::uint64_t crashes() const { return crew_.crashes(); }
  [[nodiscard]] std::uint64_t retries() const { return retries_; }
  [[nodiscard]] std::uint64_t edits() const { return edits_; }

 private:
  void draw_rules();
  void make_primitive();
  void come(int participant, std::int64_t round, Duration within);
  void arrive(int participant, std::optional<std::int64_t> round);
  void go_on(int participant, std::int64_t round);
  void disturb();
  void cause(Rng& rng);
  void delete_claim(Rng& rng);
  void edit(Rng& rng);
  void quieten();
  [[nodiscard]] ObjectPtr primitive() const;

  RoundsScenario scenario_;
  const RoundsKind& kind_;
  World world_;
  Rng chaos_;
  Workers workers_;
  Crew crew_;
  RoundOracle oracle_;
  RoundRules rules_;  // as last written
  int participants_ = 1;
  int life_ = 0;  // of the primitive
  std::uint64_t pods_ = 0;
  bool turbulent_ = true;
  std::uint64_t retries_ = 0, edits_ = 0;
};

}  // namespace konductor::sim
