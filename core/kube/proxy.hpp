#pragma once

#include "base/error.hpp"
#include "kube/server_url.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

/// What stands between us and a server.
struct Proxy {
  enum class Kind { http, https, socks5 };  // https: TLS to the proxy itself
  Kind kind = Kind::http;
  std::string host;
  std::uint16_t port = 80;
  std::string user;  // both empty: none is given
  std::string password;
  std::string origin;    // "http://host:port", for people: no password in it
  std::string given_by;  // "HTTPS_PROXY", for messages
};

/// The variables of the environment, each as its upper-case name or else its lower-case one has it.
struct ProxyVariables {
  std::string http_proxy;
  std::string https_proxy;
  std::string no_proxy;
  bool cgi = false;  // REQUEST_METHOD is set: HTTP_PROXY is then a header of some client, and not to be trusted
};

/// "[SCHEME://][USER:PASSWORD@]HOST[:PORT]"; schemes http (the one that is meant where there is none), https, socks5
/// and socks5h, which are the same: the proxy looks names up. The error shows no password.
Result<Proxy> parse_proxy_url(std::string_view url, const std::string& given_by);

/// The proxy for `server`, by the rules of Go's clients (golang.org/x/net/http/httpproxy), and so kubectl's: localhost
/// and loopback addresses never have one.
Result<std::optional<Proxy>> proxy_for(const ServerUrl& server, const ProxyVariables& variables);

/// True where an entry of `no_proxy` (a comma between them) is about this host: "*"; an address or a network
/// (10.0.0.0/8); a name, which stands for those below it too; ".name", only those below; each but a network with
/// ":port" or without.
bool is_exempt(std::string_view no_proxy, std::string_view host, std::uint16_t port);

}  // namespace konductor::kube
