#pragma once

#include "base/error.hpp"
#include "io/environment.hpp"
#include "kube/kubeconfig.hpp"

#include <string>

namespace konductor::io {

struct ConfigOptions {
  std::string kubeconfig;  // --kubeconfig; empty: not given
  std::string context;     // --context; empty: the current one
};

/// Finds the cluster as kubectl does: --kubeconfig, else $KUBECONFIG (the files of a list are merged, those that do not
/// exist are passed over), else ~/.kube/config, else the service account of the pod; then the proxy to it, if the
/// environment names one. The error says what was tried.
Result<kube::ClusterAccess> load_config(const ConfigOptions& options, const Environment& environment);

}  // namespace konductor::io
