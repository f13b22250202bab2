#pragma once

#include "runtime/view_event.hpp"

#include <string>

namespace konductor::app {

/// Why a watch cannot go on for now, for probes, and said in the log once: what it meets, and that it is over.
class WatchTrouble {
 public:
  void see(const runtime::ViewEvent& event);
  /// Empty: it goes on.
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  std::string why_;
};

}  // namespace konductor::app
