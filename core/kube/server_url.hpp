#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

struct ServerUrl {
  bool tls = true;
  std::string host;  // name or address; an IPv6 address without its brackets
  std::uint16_t port = 443;
  std::string base_path;  // "" or "/prefix", without a slash at its end
  bool operator==(const ServerUrl&) const = default;
};

/// "https://host[:port][/prefix]", http:// too. `what` starts the message of the Errc::bad_config.
Result<ServerUrl> parse_server_url(std::string_view url, std::string_view what);

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
};

/// "host", "host:6443", "[::1]:6443". Nothing where the host is malformed; port 0 where what follows the ':' is none.
std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);

/// As a host stands in a URL: an IPv6 address in brackets.
std::string with_brackets(const std::string& host);

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) noexcept;

}  // namespace konductor::kube
