#pragma once

#include "base/error.hpp"
#include "io/connection.hpp"
#include "io/environment.hpp"
#include "kube/kubeconfig.hpp"

#include <string>

namespace konductor::io {

struct ConfigOptions {
  std::string kubeconfig;  // --kubeconfig; empty: not given
  std::string context;     // --context; empty: the current one
};

/// Finds the cluster as kubectl does: --kubeconfig, else $KUBECONFIG (of a list the first file that exists), else
/// ~/.kube/config, else the service account of the pod. The error says what was tried.
Result<kube::ClusterAccess> load_config(const ConfigOptions& options, const Environment& environment);

/// Reads and checks the certificates that `access` names.
Result<Server> load_server(const kube::ClusterAccess& access, const Environment& environment);

}  // namespace konductor::io
