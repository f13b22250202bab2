#pragma once

#include "runtime/kind_machine.hpp"
#include "tests/sim/process.hpp"
#include "tests/sim/sim_elector.hpp"
#include "tests/sim/sim_watch.hpp"
#include "tests/sim/world.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace konductor::sim {

/// One operator process: the very KindMachine, WatchMachines and Elector that the binary links, and its connection.
class SimOperator {
 public:
  /// What it knew when it sent a request.
  struct Knowledge {
    std::uint64_t claims_seen = 0;        // its view of the claims was complete up to there
    std::vector<std::string> unanswered;  // targets of its other requests
    WallTime at;                          // when that was, as it took the server's time
    Duration elapsed{0};                  // the same, in truth
  };
  /// Told before the server executes a request of this operator.
  using OnExecute = std::function<void(const Knowledge&)>;

  SimOperator(World& world, int number, runtime::KindDeclaration kind, OnExecute on_execute);

  void start();
  /// Loses all memory; requests on their way are still executed.
  void crash();
  /// As at a SIGTERM: stops working, gives the Lease back, ends.
  void shut_down();
  /// Stands still, then finds all that arrived meanwhile at once.
  void pause(Duration length);
  void go_on();
  /// From its next start it stands for election.
  void stand_for_election() { stands_ = true; }
  /// It believes so whatever the election says: what a suspended leader believes for a moment, for longer.
  void lead(bool leading);
  /// Back to the election's result.
  void lead_as_elected();
  void jump_clock(Duration by);
  void on_commit(const Commit& commit);
  /// The server sends what is due to its watches.
  void catch_up();

  [[nodiscard]] bool running() const { return machine_ != nullptr; }
  /// It would act now.
  [[nodiscard]] bool leads() const;
  /// By election, and not only by decree.
  [[nodiscard]] bool is_elected() const { return running() && elector_ && elector_->leading(); }
  [[nodiscard]] bool paused() const { return world_.elapsed() < paused_until_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// By which it holds the Lease, of this life.
  [[nodiscard]] std::string identity() const { return name_ + "/" + std::to_string(life_); }
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }
  [[nodiscard]] std::string counters() const;

  /// Told of each request of the machine when it is sent; not of the election's own.
  std::function<void(const SimOperator&, const kube::Request&)> on_send;

 private:
  [[nodiscard]] Process process();
  /// Runs `what` on the process as soon as it runs; forgotten where it crashed meanwhile.
  void deliver(std::function<void()> what);
  void pump();
  void send(const runtime::Outgoing& outgoing);
  void watch(kube::Resource resource, const std::string& selector,
             void (runtime::KindMachine::*sink)(const runtime::ViewEvent&, runtime::Now));

  World& world_;
  std::string name_;
  runtime::KindDeclaration kind_;
  OnExecute on_execute_;
  std::unique_ptr<SimClock> clock_;
  std::unique_ptr<runtime::KindMachine> machine_;
  std::unique_ptr<SimElector> elector_;
  std::vector<std::unique_ptr<SimWatch>> watches_;
  std::deque<std::function<void()>> held_back_;
  std::uint64_t life_ = 0;  // counts up at each crash
  std::uint64_t claims_seen_ = 0;
  std::map<std::uint64_t, std::string> unanswered_;
  Duration paused_until_{0};
  bool stands_ = false;
  std::optional<bool> decreed_;
  bool leading_ = false;  // as the machine was told
  std::optional<Duration> waking_;
  std::vector<std::string> log_;
};

}  // namespace konductor::sim
