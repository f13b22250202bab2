#pragma once

#include "kondctl/claim_machine.hpp"
#include "tests/sim/process.hpp"

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

  struct Start {
    std::string actor;
    kondctl::ClaimWish wish;
    kondctl::ClaimSettings settings;
    SimClock clock;
  };
  SimAcquire(World& world, Start start, OnFinish on_finish);

  void start() { tell(kondctl::Woken{}); }
  void interrupt() { tell(kondctl::Signalled{kondctl::Signal::interrupt}); }
  void on_commit(const Commit& commit);
  void jump_clock(Duration by) { clock_.jump(by); }

 private:
  struct Life {};
  struct Watch {
    std::uint64_t id = 0;  // 0: none
    bool open = false;
    bool dead = false;         // it is open still, and nothing arrives any more
    std::uint64_t stream = 0;  // counts up at each one: what was under way in an earlier one is lost
    Duration last_arrival{0};
  };

  void tell(const kondctl::DialogueEvent& event);
  void send(const kondctl::DialogueStep::Sending& sending);
  void watch(const kondctl::DialogueStep::Watching& watching);
  void open_watch(std::uint64_t from);
  void show(const Commit& commit);
  void end_watch(Duration delay, std::optional<Error> error);
  void wake_at(std::optional<MonoTime> time);
  /// Runs `what` then, unless the process is gone.
  void later(Duration delay, std::function<void()> what);
  /// As kondctl takes it: its own clock where that agrees with the server's.
  [[nodiscard]] runtime::Now now();

  World& world_;
  std::string actor_;
  SimClock clock_;
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
