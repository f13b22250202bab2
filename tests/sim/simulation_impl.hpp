#pragma once

#include "tests/sim/liveness.hpp"
#include "tests/sim/oracle.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_operator.hpp"
#include "tests/sim/simulation.hpp"
#include "tests/sim/world.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace konductor::sim {

inline const kube::NamespacedName primitive_name{"team-a", "it"};

/// One run: simulation.cpp builds it, lets it go and judges it; disturbances.cpp is what goes wrong on the way.
class Simulation {
 public:
  Simulation(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t seed)
      : scenario_(scenario),
        kind_(kind),
        world_(seed),
        oracle_(world_.api(), kind),
        liveness_(world_, oracle_, kind),
        chaos_(world_.rng().fork()) {}

  Outcome run();

 private:
  void serve();
  void see(const Commit& commit);
  void add_operators();
  void sending(const SimOperator& sender, const kube::Request& request);
  void executing(const SimOperator::Knowledge& knowledge);
  void add_clients();
  void granted(const SimClient& client, const std::string& uid, std::int64_t token);
  void make_primitive(std::int64_t limit);
  void patch_spec(const nlohmann::json& spec);
  void collect_garbage();
  void quieten();
  void look();
  void check_rest();
  void check_leaders();
  void run_until(Duration end);
  [[nodiscard]] bool all_done() const;
  [[nodiscard]] std::string trace() const;

  void set_faults();
  void disturb();
  void cause(Trouble trouble, Rng& rng);
  void crash_operator(Rng& rng);
  void shut_down_operator(Rng& rng);
  void pause_operator(Rng& rng);
  void part(Rng& rng);
  void make_second_leader(Rng& rng);
  void jump_clocks(Rng& rng);
  void jump_server_clock(Rng& rng);
  void compact(Rng& rng);
  void crash_client(Rng& rng);
  void lose_pod(Rng& rng);
  void delete_claim(Rng& rng);
  void spoil_spec(Rng& rng);
  void recreate(Rng& rng);
  void change_limit(Rng& rng);
  /// A running operator; more often than not the one that leads. Null where there is none.
  SimOperator* pick_operator(Rng& rng);
  SimClient& pick_client(Rng& rng);

  Scenario scenario_;
  const KindUnderTest& kind_;
  World world_;
  Oracle oracle_;
  Liveness liveness_;
  Rng chaos_;
  std::vector<std::unique_ptr<SimOperator>> operators_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::map<std::string, std::pair<std::string, std::int64_t>> last_grant_;  // UID and token, by client
  std::string leader_;
  bool turbulent_ = true;
  int disturbances_ = 0;
  Outcome outcome_;
};

}  // namespace konductor::sim
