#pragma once

#include "runtime/clock.hpp"

#include <cstddef>
#include <functional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

namespace konductor::runtime {

/// When to look at which claim of a primitive, the earliest first: so that a look costs as much as there is to do, and
/// not as much as there are claims. An appointment is not withdrawn: whoever keeps it asks whether it still stands.
class Agenda {
 public:
  using Appointment = std::pair<MonoTime, std::string>;  // the claim's key

  void add(MonoTime at, std::string key) { queue_.emplace(at, std::move(key)); }
  /// Nullptr where there is none. Valid until the next change.
  [[nodiscard]] const Appointment* next() const { return queue_.empty() ? nullptr : &queue_.top(); }
  void drop_next() { queue_.pop(); }
  /// With those that no longer stand.
  [[nodiscard]] std::size_t size() const { return queue_.size(); }

 private:
  std::priority_queue<Appointment, std::vector<Appointment>, std::greater<>> queue_;
};

}  // namespace konductor::runtime
