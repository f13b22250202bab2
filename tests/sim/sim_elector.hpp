#pragma once

#include "runtime/elector.hpp"
#include "tests/sim/process.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace konductor::sim {

/// The Lease that operators elect their leader with.
kube::Resource lease_resource();
kube::NamespacedName lease_name();

/// Drives the very Elector that the operator links, over the faulty network.
class SimElector {
 public:
  SimElector(World& world, Process process, const std::string& identity);

  void start();
  /// Releases the Lease if it may hold it; `done` is told once that has come to its end.
  void shut_down(std::function<void()> done);
  [[nodiscard]] bool leading() const { return elector_.leading_at(process_.clock->mono()); }

 private:
  struct Life {};

  void tell(const runtime::Elector::Event& event);
  /// As an event of the process, unless the elector has wanted something else since.
  void tell_in_turn(std::uint64_t ticket, const runtime::Elector::Event& event);

  World& world_;
  Process process_;
  runtime::Elector elector_;
  std::function<void()> done_;
  std::uint64_t ticket_ = 0;  // counts up with each action
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
};

}  // namespace konductor::sim
