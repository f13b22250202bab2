#pragma once

#include "runtime/kind_machine.hpp"
#include "tests/sim/view_feed.hpp"
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

/// One operator process: the very KindMachine that the binary links, its three watches, and its connection.
class SimOperator {
 public:
  /// What it knew when it sent a request.
  struct Knowledge {
    std::uint64_t claims_seen = 0;        // its view of the claims was complete up to there
    std::vector<std::string> unanswered;  // targets of its other requests
    WallTime at;                          // when that was
  };
  /// Told before the server executes a request of this operator.
  using OnExecute = std::function<void(const Knowledge&)>;

  SimOperator(World& world, int number, runtime::KindDeclaration kind, OnExecute on_execute);

  void start();
  /// Loses all memory; requests on their way are still executed.
  void crash();
  /// Stands still, then finds all that arrived meanwhile at once.
  void pause(Duration length);
  void go_on();
  void lead(bool leading);
  void on_commit(const Commit& commit);

  [[nodiscard]] bool running() const { return machine_ != nullptr; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<std::string>& log() const { return log_; }
  [[nodiscard]] std::string counters() const;

 private:
  [[nodiscard]] runtime::Now now() const;
  /// Runs `what` on the process as soon as it runs; forgotten where it crashed meanwhile.
  void deliver(std::function<void()> what);
  void pump();
  void send(const runtime::Outgoing& outgoing);
  std::unique_ptr<ViewFeed> feed(kube::Resource resource, std::string_view selector,
                                 void (runtime::KindMachine::*sink)(const runtime::ViewEvent&, runtime::Now));

  World& world_;
  std::string name_;
  runtime::KindDeclaration kind_;
  OnExecute on_execute_;
  std::unique_ptr<runtime::KindMachine> machine_;
  std::vector<std::unique_ptr<ViewFeed>> feeds_;
  std::deque<std::function<void()>> held_back_;
  std::uint64_t life_ = 0;  // counts up at each crash
  std::uint64_t claims_seen_ = 0;
  std::map<std::uint64_t, std::string> unanswered_;
  Duration paused_until_{0};
  Duration clock_offset_{0};
  Duration date_error_{0};
  bool leading_ = false;
  std::optional<Duration> waking_;
  std::vector<std::string> log_;
};

}  // namespace konductor::sim
