#pragma once

#include "kondctl/claim_machine.hpp"
#include "tests/sim/world.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace konductor::sim {

/// One `kondctl ... acquire` process: the very ClaimMachine that the program links, over the faulty network. Destroying
/// it is a crash: its requests on their way are still executed. Must not outlive the world.
class SimAcquire {
 public:
  using OnFinish = std::function<void(const kondctl::ClaimOutcome&)>;

  SimAcquire(World& world, std::string actor, kondctl::ClaimWish wish, kondctl::ClaimSettings settings,
             OnFinish on_finish);

  void start() { tell(kondctl::Woken{}); }
  void interrupt() { tell(kondctl::Signalled{kondctl::Signal::interrupt}); }
  void on_commit(const Commit& commit);

 private:
  struct Life {};
  struct Watch {
    std::uint64_t id = 0;  // 0: none
    bool open = false;
    std::uint64_t stream = 0;  // counts up at each one: what was under way in an earlier one is lost
    Duration last_arrival{0};
  };

  void tell(const kondctl::ClaimEvent& event);
  void send(const kondctl::ClaimStep::Sending& sending);
  void watch(const kondctl::ClaimStep::Watching& watching);
  void open_watch(std::uint64_t from);
  void show(const Commit& commit);
  void end_watch(Duration delay, std::optional<Error> error);
  void wake_at(std::optional<MonoTime> time);
  /// Runs `what` then, unless the process is gone.
  void later(Duration delay, std::function<void()> what);
  [[nodiscard]] runtime::Now now() const { return {world_.mono(Duration{0}), world_.wall()}; }

  World& world_;
  std::string actor_;
  kube::Resource claims_;
  kube::NamespacedName claim_;
  kondctl::ClaimMachine machine_;
  OnFinish on_finish_;
  Watch watch_;
  std::optional<MonoTime> waking_;
  bool finished_ = false;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
};

}  // namespace konductor::sim
