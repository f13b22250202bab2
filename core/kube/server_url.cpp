#include "kube/server_url.hpp"

#include "kube/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <system_error>

namespace konductor::kube {
namespace {

bool is_visible_ascii(char c) noexcept {
  return c > 0x20 && c < 0x7f;
}

bool is_host_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_address_character(char c) noexcept {
  return is_host_character(c) || c == ':' || c == '%';
}

/// 0 where it is no port.
std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  return problem != std::errc{} || end != text.data() + text.size() ? std::uint16_t{0} : port;
}

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view url, std::string_view what) {
  const std::size_t user_end = url.rfind('@');  // what is before it may be a password
  const bool has_user = user_end != std::string_view::npos;
  const std::string prefix = std::string(what) + ": server " + quoted(has_user ? url.substr(user_end + 1) : url);
  if (has_user) return Error{Errc::bad_config, prefix + ": a user or password in it is not supported"};
  Error malformed = {Errc::bad_config, prefix + " is not of the form https://HOST[:PORT][/PATH]"};
  ServerUrl server;
  server.tls = starts_with_ignoring_case(url, "https://");
  if (!server.tls && !starts_with_ignoring_case(url, "http://")) {
    return Error{Errc::bad_config, prefix + " must start with https:// or http://"};
  }
  url.remove_prefix(server.tls ? 8 : 7);

  const std::size_t slash = url.find('/');
  std::string_view path = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!std::ranges::all_of(path, is_visible_ascii) || path.find_first_of("?#") != std::string_view::npos) {
    return malformed;
  }
  server.base_path = path;

  auto place = parse_host_port(url.substr(0, slash), server.tls ? 443 : 80);
  if (!place) return malformed;
  if (place->port == 0) return Error{Errc::bad_config, prefix + " has no port from 1 to 65535 after its ':'"};
  server.host = std::move(place->host);
  server.port = place->port;
  return server;
}

std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  const bool literal = text.starts_with('[');
  const std::size_t host_end = literal ? text.find(']') : std::min(text.find(':'), text.size());
  if (host_end == std::string_view::npos) return std::nullopt;
  HostPort place{std::string(literal ? text.substr(1, host_end - 1) : text.substr(0, host_end)), default_port};
  if (place.host.empty() || !std::ranges::all_of(place.host, literal ? is_address_character : is_host_character)) {
    return std::nullopt;
  }
  if (literal && place.host.find(':') == std::string::npos) return std::nullopt;  // brackets are for IPv6
  text.remove_prefix(literal ? host_end + 1 : host_end);
  if (text.empty()) return place;
  if (text.front() != ':') return std::nullopt;
  place.port = parse_port(text.substr(1));
  return place;
}

std::string with_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() >= lower.size() && std::ranges::equal(text.substr(0, lower.size()), lower, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

}  // namespace konductor::kube
