#pragma once

#include "base/error.hpp"
#include "kube/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Programs that give credentials (client.authentication.k8s.io, v1 and v1beta1), but for running them.
namespace konductor::kube {

/// Whether a program may ask a person at the terminal.
enum class Interaction {
  never,
  if_available,  // it can do without
  always         // it must have one
};

/// What a kubeconfig says under `exec`.
struct ExecPlugin {
  std::string api_version;
  std::string command;  // a path, or a name without a slash, to be found on PATH
  std::vector<std::string> args;
  std::vector<std::string> env;  // "NAME=value", over what the process has
  std::string install_hint;
  Interaction interaction = Interaction::if_available;
  bool provide_cluster_info = false;
  std::string field = {};  // where it was given, for messages: file, user
};

/// What it gives: a token, or a client certificate with its key, or both.
struct ExecCredential {
  std::string token;
  std::string certificate;  // PEM
  std::string key;
  std::optional<WallTime> expiry;
};

/// The cluster as a program with provideClusterInfo is told it.
struct ExecCluster {
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string authority;  // PEM
  std::string proxy_url;
  std::string config;  // JSON of the cluster's own extension, or empty
};

/// How a run ended.
struct ExecRun {
  int exit_code = 0;
  int signal = 0;  // not 0: this killed it
  std::string out;
  std::string err;  // its start
  bool out_too_long = false;
};

/// The value of KUBERNETES_EXEC_INFO. `cluster` counts where the plugin asked for it.
std::string exec_info(const ExecPlugin& plugin, const ExecCluster& cluster, bool interactive);

/// The credential that a run gave. The error names the command, what went wrong, what it said on stderr, and its
/// install hint: Errc::unauthorized where the program failed, Errc::bad_config where it is not such a program.
Result<ExecCredential> judge(const ExecRun& run, const ExecPlugin& plugin);

/// Where the program can't be run at all: `why` is "was not found on PATH" or the like.
Error cannot_run(const ExecPlugin& plugin, const std::string& why);

/// "user "u": the exec plugin gke-auth", which starts every message about it.
std::string name_of(const ExecPlugin& plugin);

}  // namespace konductor::kube
