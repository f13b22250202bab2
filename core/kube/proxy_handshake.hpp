#pragma once

#include "base/error.hpp"
#include "kube/proxy.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace konductor::kube {

/// Asks a proxy for a tunnel to a server: CONNECT of HTTP, or SOCKS 5 (RFC 1928, 1929). Does no I/O: it says what to
/// send, and takes what came.
class ProxyHandshake {
 public:
  struct Step {
    std::string send;   // may be empty
    bool done = false;  // the tunnel is open: what follows is between us and the server
  };

  ProxyHandshake(Proxy proxy, std::string host, std::uint16_t port, std::string user_agent);

  /// What to send first.
  [[nodiscard]] std::string start() const;
  /// Some bytes of the proxy; an error ends it. The error has no name of the proxy in it.
  Result<Step> feed(std::string_view bytes);
  /// The proxy closed the connection instead.
  Result<Step> end();

 private:
  enum class State {
    http_answer,
    socks_method,  // which way of authentication the proxy chose
    socks_auth,    // its verdict on user and password
    socks_reply    // its verdict on the connection
  };
  Result<Step> feed_http(bool ended);
  Result<Step> feed_socks();
  [[nodiscard]] Error refused(int status, std::string_view words) const;
  [[nodiscard]] bool has_credentials() const { return !proxy_.user.empty() || !proxy_.password.empty(); }

  Proxy proxy_;
  std::string host_;
  std::uint16_t port_;
  std::string user_agent_;
  State state_;
  std::string unread_;
};

/// The value of Proxy-Authorization, or empty.
std::string proxy_authorization(const Proxy& proxy);

/// For a 407: what a person can do.
Error proxy_wants_credentials(const Proxy& proxy, std::string_view words);

}  // namespace konductor::kube
