#pragma once

#include "base/error.hpp"
#include "runtime/clock.hpp"

#include <string>
#include <vector>

namespace konductor::app {

enum class Task { run, manifests, version, help };

/// The operator's command line.
struct Options {
  Task task = Task::run;
  std::string help;                      // the text to print, of Task::help
  std::vector<std::string> plugin_dirs;  // empty: the environment's, else beside the program
  std::string kubeconfig;
  std::string context;
  bool leader_elect = false;
  std::string leader_elect_namespace;   // empty: the pod's, else konductor-system
  std::string identity;                 // empty: host name and a random part
  runtime::Duration lease_duration{0};  // of that lock, as runtime::ElectorSettings has them
  runtime::Duration renew_deadline{0};
  runtime::Duration retry_period{0};
  std::string metrics_address = "127.0.0.1:9472";
  std::string log_level = "info";
  std::string log_format = "text";
  int kube_api_qps = 1000;  // 0: no bound
  int kube_api_burst = 2000;
  runtime::Duration withhold_grants{0};
};

/// A wrong command line is Errc::bad_config with one sentence.
Result<Options> parse_options(int argc, const char* const* argv);

}  // namespace konductor::app
