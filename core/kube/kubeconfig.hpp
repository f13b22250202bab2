#pragma once

#include "base/error.hpp"
#include "kube/exec_credential.hpp"
#include "kube/proxy.hpp"
#include "kube/server_url.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::kube {

/// A kubeconfig as its file says it, or several merged; file paths are already relative to the folder of their file.
struct KubeconfigFile {
  struct Cluster {
    std::string server;
    std::string ca_data;  // base64
    std::string ca_file;
    std::string tls_server_name;
    std::string proxy_url;
    bool insecure_skip_tls_verify = false;
    std::string exec_config;  // JSON that exec plugins are told, or empty
    std::string from;         // the file, for messages
  };
  struct User {
    std::string client_certificate_data;  // base64
    std::string client_certificate_file;
    std::string client_key_data;  // base64
    std::string client_key_file;
    std::string token;
    std::string token_file;
    std::optional<ExecPlugin> exec;
    std::string exec_problem;              // why `exec` cannot be used, or empty
    std::vector<std::string> unsupported;  // fields that are set and that Konductor cannot use
    std::string from;                      // the file, for messages
  };
  struct Context {
    std::string cluster;
    std::string user;
    std::string ns;
  };
  template <class T>
  using ByName = std::map<std::string, T, std::less<>>;

  std::string path;  // of a merged one: all, with colons between
  std::string current_context;
  ByName<Cluster> clusters;
  ByName<User> users;
  ByName<Context> contexts;
};

/// PEM text itself, or else the file that has it; both empty: none.
struct PemSource {
  std::string data;
  std::string file;
  std::string field = {};  // where it was given, for messages: file, entry, field
  [[nodiscard]] bool empty() const { return data.empty() && file.empty(); }
};

/// All that it takes to talk to one API server.
struct ClusterAccess {
  ServerUrl server;
  std::string server_text;  // as it was given, for exec plugins
  std::string exec_config;  // JSON, or empty
  PemSource ca;             // empty: the system's
  PemSource client_certificate;
  PemSource client_key;
  std::string token;       // used until token_file has been read
  std::string token_file;  // to be read again now and then
  std::optional<ExecPlugin> exec;
  std::optional<Proxy> proxy;
  std::string proxy_text;  // the kubeconfig's proxy-url as it was given, for exec plugins
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string ns = "default";
};

/// `path` is for messages, and the base of relative file names. Errors are Errc::bad_config with line and column.
Result<KubeconfigFile> parse_kubeconfig(std::string_view text, std::string_view path);

/// As kubectl merges the files of a list: the first to name a cluster, user or context has it, as a whole, and the
/// first to set a current-context sets it. At least one file.
KubeconfigFile merge_kubeconfigs(const std::vector<KubeconfigFile>& files);

/// What `context`, or the current context where it is empty, gives access to.
Result<ClusterAccess> resolve(const KubeconfigFile& file, std::string_view context);

}  // namespace konductor::kube
