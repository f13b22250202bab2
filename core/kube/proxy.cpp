#include "kube/proxy.hpp"

#include "kube/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace konductor::kube {
namespace {

struct Address {
  std::array<unsigned char, 16> bytes{};  // of an IPv4 address the first four
  std::size_t size = 0;                   // 4 or 16
  bool operator==(const Address&) const = default;
};

std::optional<Address> parse_address(const std::string& text) {
  Address address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  address.size = 16;
  // ::ffff:10.0.0.1 is 10.0.0.1.
  constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(mapped.begin(), mapped.end(), address.bytes.begin())) return address;
  Address four;
  four.size = 4;
  std::copy(address.bytes.begin() + 12, address.bytes.end(), four.bytes.begin());
  return four;
}

bool is_loopback(const Address& address) {
  if (address.size == 4) return address.bytes[0] == 127;
  return address == *parse_address("::1");
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool shares_prefix(const Address& a, const Address& b, std::size_t bits) {
  for (std::size_t bit = 0; bit < bits; ++bit) {
    const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
    if (((a.bytes[bit / 8] ^ b.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

/// Whether `entry` is a network, and if so whether `address` is in it.
std::optional<bool> in_network(const std::string& entry, const std::optional<Address>& address) {
  const std::size_t slash = entry.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto network = parse_address(entry.substr(0, slash));
  const auto bits = parse_number<std::size_t>(std::string_view(entry).substr(slash + 1));
  if (!network || !bits || *bits > network->size * 8) return std::nullopt;
  return address && address->size == network->size && shares_prefix(*address, *network, *bits);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

struct Target {
  std::string host;  // in lower case
  std::optional<Address> address;
  std::uint16_t port = 0;
};

/// `entry` without its port: "name:80" and "[::1]:80", but not "::1". The port is 0 where there is none, and nothing
/// where what stands for it can be no port, which then matches nothing.
std::pair<std::string, std::optional<std::uint16_t>> split_port(const std::string& entry) {
  const bool literal = entry.starts_with('[');
  const std::size_t colon = literal ? entry.find("]:") + 1 : entry.find(':');
  const bool has_port =
      literal ? colon != 0 : colon != std::string::npos && entry.find(':', colon + 1) == std::string::npos;
  if (!has_port) return {entry, std::uint16_t{0}};
  const std::string host = literal ? entry.substr(1, colon - 2) : entry.substr(0, colon);
  const std::string_view port = std::string_view(entry).substr(colon + 1);
  if (port.empty()) return {host, std::uint16_t{0}};
  return {host, parse_number<std::uint16_t>(port)};
}

bool is_about(const std::string& entry, const Target& target) {
  if (entry == "*") return true;
  if (const auto inside = in_network(entry, target.address)) return *inside;
  auto [host, port] = split_port(entry);
  if (host.empty() || !port || (*port != 0 && *port != target.port)) return false;
  if (const auto address = parse_address(host)) return target.address == address;
  if (host.starts_with("*.")) host.erase(0, 1);
  if (host.front() == '.') return target.host.ends_with(host);
  return target.host == host || target.host.ends_with("." + host);
}

/// Nothing where a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || problem != std::errc{} || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(value);
    at += 2;
  }
  return decoded;
}

/// Nothing where they are malformed, or too long for SOCKS.
bool take_credentials(std::string_view text, Proxy& proxy) {
  const std::size_t colon = text.find(':');
  const auto user = percent_decode(text.substr(0, colon));
  const auto password = percent_decode(colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1));
  if (!user || !password || user->size() > 255 || password->size() > 255) return false;
  proxy.user = *user;
  proxy.password = *password;
  return true;
}

struct Scheme {
  std::string_view prefix;
  Proxy::Kind kind;
  std::uint16_t port;
  std::string_view shown;
};
constexpr std::array<Scheme, 4> schemes{{{"http://", Proxy::Kind::http, 80, "http://"},
                                         {"https://", Proxy::Kind::https, 443, "https://"},
                                         {"socks5://", Proxy::Kind::socks5, 1080, "socks5://"},
                                         {"socks5h://", Proxy::Kind::socks5, 1080, "socks5://"}}};

}  // namespace

Result<Proxy> parse_proxy_url(std::string_view url, const std::string& given_by) {
  const auto wrong = [&given_by](const std::string& why) { return Error{Errc::bad_config, given_by + ": " + why}; };
  url = trimmed(url);
  const auto* scheme = std::ranges::find_if(
      schemes, [url](const Scheme& known) { return starts_with_ignoring_case(url, known.prefix); });
  if (scheme == schemes.end()) {
    const std::size_t end = url.find("://");
    if (end != std::string_view::npos) {
      return wrong("a proxy of the scheme " + quoted(url.substr(0, end)) + "; known are http, https and socks5");
    }
    scheme = schemes.begin();
  } else {
    url.remove_prefix(scheme->prefix.size());
  }
  url = url.substr(0, url.find_first_of("/?#"));

  Proxy proxy;
  proxy.kind = scheme->kind;
  proxy.given_by = given_by;
  const std::size_t at = url.rfind('@');
  if (at != std::string_view::npos) {
    if (!take_credentials(url.substr(0, at), proxy)) return wrong("its user and password are malformed or too long");
    url.remove_prefix(at + 1);
  }
  auto place = parse_host_port(url, scheme->port);
  if (!place || place->port == 0) {
    return wrong("it is not of the form [http://|https://|socks5://][USER:PASSWORD@]HOST[:PORT]");
  }
  proxy.host = std::move(place->host);
  proxy.port = place->port;
  proxy.origin = std::string(scheme->shown) + with_brackets(proxy.host) + ":" + std::to_string(proxy.port);
  return proxy;
}

bool is_exempt(std::string_view no_proxy, std::string_view host, std::uint16_t port) {
  Target target{lower(host), parse_address(std::string(host)), port};
  while (!no_proxy.empty()) {
    const std::size_t comma = no_proxy.find(',');
    const std::string entry = lower(trimmed(no_proxy.substr(0, comma)));
    if (!entry.empty() && is_about(entry, target)) return true;
    no_proxy = comma == std::string_view::npos ? std::string_view{} : no_proxy.substr(comma + 1);
  }
  return false;
}

Result<std::optional<Proxy>> proxy_for(const ServerUrl& server, const ProxyVariables& variables) {
  const std::string& url = server.tls ? variables.https_proxy : variables.http_proxy;
  const auto address = parse_address(server.host);
  if (url.empty() || lower(server.host) == "localhost" || (address && is_loopback(*address)) ||
      is_exempt(variables.no_proxy, server.host, server.port)) {
    return std::optional<Proxy>();
  }
  if (!server.tls && variables.cgi) {
    return Error{Errc::bad_config,
                 "HTTP_PROXY is not used where REQUEST_METHOD is set: a web client could have set it"};
  }
  auto proxy = parse_proxy_url(url, server.tls ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (!proxy) return proxy.error();
  return std::optional<Proxy>(std::move(*proxy));
}

}  // namespace konductor::kube
