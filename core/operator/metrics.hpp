#pragma once

#include "runtime/kind_machine.hpp"

#include <string>
#include <vector>

namespace konductor::app {

/// One kind's counters, for Prometheus.
struct KindMetrics {
  std::string kind;
  std::string plugin;
  std::string version;
  runtime::KindMachine::Counters counters;
};

struct Metrics {
  bool leading = false;
  bool synced = false;
  std::vector<KindMetrics> kinds;
  std::vector<std::string> refused_plugins;  // files
};

/// Prometheus text exposition format 0.0.4.
std::string render(const Metrics& metrics);

}  // namespace konductor::app
