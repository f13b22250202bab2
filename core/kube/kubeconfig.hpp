#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::kube {

/// A kubeconfig as its file says it; file paths are already relative to the folder of that file.
struct KubeconfigFile {
  struct Cluster {
    std::string server;
    std::string ca_data;  // base64
    std::string ca_file;
    std::string tls_server_name;
    std::string proxy_url;
    bool insecure_skip_tls_verify = false;
  };
  struct User {
    std::string client_certificate_data;  // base64
    std::string client_certificate_file;
    std::string client_key_data;  // base64
    std::string client_key_file;
    std::string token;
    std::string token_file;
    std::vector<std::string> unsupported;  // fields that are set and that Konductor cannot use yet
  };
  struct Context {
    std::string cluster;
    std::string user;
    std::string ns;
  };
  template <class T>
  using ByName = std::map<std::string, T, std::less<>>;

  std::string path;
  std::string current_context;
  ByName<Cluster> clusters;
  ByName<User> users;
  ByName<Context> contexts;
};

struct ServerUrl {
  bool tls = true;
  std::string host;  // name or address; an IPv6 address without its brackets
  std::uint16_t port = 443;
  std::string base_path;  // "" or "/prefix", without a slash at its end
  bool operator==(const ServerUrl&) const = default;
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
  PemSource ca;  // empty: the system's
  PemSource client_certificate;
  PemSource client_key;
  std::string token;       // used until token_file has been read
  std::string token_file;  // to be read again now and then
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string ns = "default";
};

/// `path` is for messages, and the base of relative file names. Errors are Errc::bad_config with line and column.
Result<KubeconfigFile> parse_kubeconfig(std::string_view text, std::string_view path);

/// What `context`, or the current context where it is empty, gives access to.
Result<ClusterAccess> resolve(const KubeconfigFile& file, std::string_view context);

/// "https://host[:port][/prefix]", http:// too. `what` starts the message of the Errc::bad_config.
Result<ServerUrl> parse_server_url(std::string_view url, std::string_view what);

}  // namespace konductor::kube
