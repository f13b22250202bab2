#pragma once

#include "base/error.hpp"
#include "io/environment.hpp"
#include "io/tls.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/proxy.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace konductor::io {

/// Where to connect to, and as whom.
struct Server {
  std::string host;  // name or IP literal, without brackets
  std::uint16_t port = 443;
  std::shared_ptr<TlsContext> tls;  // null: plain text
  std::string origin;               // "https://host:port", for people
  std::optional<kube::Proxy> proxy;
  std::shared_ptr<TlsContext> proxy_tls;  // to a proxy of the kind https

  /// True where requests go to the proxy itself, with the whole URL in them, and not through a tunnel.
  [[nodiscard]] bool asks_proxy() const { return proxy && proxy->kind != kube::Proxy::Kind::socks5 && !tls; }
};

/// The certificates and keys that `access` names, read, and looked at from outside.
Result<TlsSettings> read_tls_settings(const kube::ClusterAccess& access, const Environment& environment);

/// Where `access` leads to, with these settings checked and loaded.
Result<std::shared_ptr<const Server>> make_server(const kube::ClusterAccess& access, const TlsSettings& settings);

}  // namespace konductor::io
