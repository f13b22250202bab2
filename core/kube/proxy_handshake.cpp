#include "kube/proxy_handshake.hpp"

#include "kube/base64.hpp"
#include "kube/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace konductor::kube {
namespace {

constexpr std::size_t max_head = std::size_t{16} << 10U;
constexpr std::size_t max_words = 2048;  // of the page that explains a refusal

constexpr char socks_version = 5;
constexpr char no_authentication = 0;
constexpr char by_password = 2;
constexpr char no_way_accepted = static_cast<char>(0xff);

Error broken(const std::string& why) {
  return {Errc::protocol_violation, why};
}

/// The number of an HTTP/1.x status line; nothing where it is none.
std::optional<int> status_of(std::string_view head) {
  if (!head.starts_with("HTTP/1.") || head.size() < 12 || head[8] != ' ') return std::nullopt;
  int status = 0;
  const auto [end, problem] = std::from_chars(head.data() + 9, head.data() + 12, status);
  if (problem != std::errc{} || end != head.data() + 12 || status < 100) return std::nullopt;
  return status;
}

/// How many bytes of a page follow the head, if it says so.
std::size_t page_size(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    if (!starts_with_ignoring_case(line, name)) continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::size_t size = 0;
    std::from_chars(line.data(), line.data() + line.size(), size);
    return std::min(size, max_words);
  }
  return 0;
}

/// "403 Filtered: not on the list", of the status line and a page of plain words.
std::string words_of(std::string_view head, std::string_view page) {
  std::string words = one_line(head.substr(9, head.find("\r\n") - 9), 200);
  const std::string more = one_line(page.substr(0, max_words), 300);
  return more.empty() ? words : words + ": " + more;
}

std::string_view reply_words(char reply) {
  switch (reply) {
    case 1: return "general failure";
    case 2: return "the proxy's rules do not allow it";
    case 3: return "network unreachable";
    case 4: return "host unreachable";
    case 5: return "connection refused";
    case 6: return "time to live expired";
    case 7: return "the proxy knows no CONNECT";
    case 8: return "the proxy knows no such kind of address";
    default: return "an unknown refusal";
  }
}

/// Address type and address, as SOCKS writes them; names are looked up by the proxy.
std::string socks_address(const std::string& host) {
  std::array<char, 16> raw{};
  if (inet_pton(AF_INET, host.c_str(), raw.data()) == 1) return std::string(1, '\1') + std::string(raw.data(), 4);
  if (inet_pton(AF_INET6, host.c_str(), raw.data()) == 1) return std::string(1, '\4') + std::string(raw.data(), 16);
  const std::string name = host.substr(0, 255);
  return std::string(1, '\3') + static_cast<char>(name.size()) + name;
}

/// Of a whole reply; nothing while its own length can't be known yet, 0 where its address is of no known kind.
std::optional<std::size_t> reply_size(std::string_view reply) {
  if (reply.size() < 5) return std::nullopt;
  switch (reply[3]) {
    case 1: return 10;
    case 3: return std::size_t{7} + static_cast<unsigned char>(reply[4]);
    case 4: return 22;
    default: return 0;
  }
}

}  // namespace

std::string proxy_authorization(const Proxy& proxy) {
  if (proxy.user.empty() && proxy.password.empty()) return {};
  return "Basic " + encode_base64(proxy.user + ":" + proxy.password);
}

Error proxy_wants_credentials(const Proxy& proxy, std::string_view words) {
  const bool has = !proxy.user.empty() || !proxy.password.empty();
  return {Errc::bad_config,
          std::string(words) +
              (has ? "; look at the user and password in " : "; put USER:PASSWORD@ before the host in ") +
              proxy.given_by};
}

ProxyHandshake::ProxyHandshake(Proxy proxy, std::string host, std::uint16_t port, std::string user_agent)
    : proxy_(std::move(proxy)),
      host_(std::move(host)),
      port_(port),
      user_agent_(std::move(user_agent)),
      state_(proxy_.kind == Proxy::Kind::socks5 ? State::socks_method : State::http_answer) {}

std::string ProxyHandshake::start() const {
  if (state_ == State::socks_method) {
    return has_credentials() ? std::string{socks_version, 2, no_authentication, by_password}
                             : std::string{socks_version, 1, no_authentication};
  }
  const std::string place = with_brackets(host_) + ":" + std::to_string(port_);
  std::string request = "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\nUser-Agent: " + user_agent_ + "\r\n";
  const std::string authorization = proxy_authorization(proxy_);
  if (!authorization.empty()) request += "Proxy-Authorization: " + authorization + "\r\n";
  return request + "\r\n";
}

Result<ProxyHandshake::Step> ProxyHandshake::feed(std::string_view bytes) {
  unread_.append(bytes);
  return state_ == State::http_answer ? feed_http(false) : feed_socks();
}

Result<ProxyHandshake::Step> ProxyHandshake::end() {
  if (state_ == State::http_answer && unread_.find("\r\n\r\n") != std::string::npos) return feed_http(true);
  return Error{Errc::unavailable, "it closed the connection without an answer"};
}

Error ProxyHandshake::refused(int status, std::string_view words) const {
  const std::string said = "it refused the tunnel: " + std::string(words);
  if (status == 407) return proxy_wants_credentials(proxy_, said);
  if (status == 403) return {Errc::forbidden, said};
  if (status >= 500 && status <= 599) return {Errc::unavailable, said};
  return {Errc::bad_config, said + " (is this a proxy?)"};
}

Result<ProxyHandshake::Step> ProxyHandshake::feed_http(bool ended) {
  const std::string_view all = unread_;
  const bool http = all.substr(0, 7) == std::string_view("HTTP/1.").substr(0, all.size());
  const std::size_t head_end = all.find("\r\n\r\n");
  if (!http || (head_end == std::string_view::npos && all.size() > max_head)) {
    return broken("what it answers is not HTTP: " + quoted(all));
  }
  if (head_end == std::string_view::npos) return Step();
  const std::string_view head = all.substr(0, head_end);
  const std::string_view page = all.substr(head_end + 4);
  const auto status = status_of(head);
  if (!status) return broken("what it answers is not HTTP: " + quoted(head));
  if (*status >= 200 && *status <= 299) {
    // The server says nothing before we do.
    if (!page.empty()) return broken("it sent more than its answer");
    return Step{{}, true};
  }
  if (!ended && page.size() < page_size(head)) return Step();
  return refused(*status, words_of(head, page));
}

Result<ProxyHandshake::Step> ProxyHandshake::feed_socks() {
  const auto port = static_cast<unsigned>(port_);
  const std::string connect = std::string{socks_version, 1, 0} + socks_address(host_) + static_cast<char>(port >> 8U) +
                              static_cast<char>(port & 0xffU);
  if (!unread_.empty() && unread_[0] != (state_ == State::socks_auth ? 1 : socks_version)) {
    return broken("what it answers is not SOCKS 5: " + quoted(unread_));
  }
  if (unread_.size() < 2) return Step();
  const char verdict = unread_[1];
  if (state_ == State::socks_method) {
    unread_.erase(0, 2);
    if (verdict == no_authentication) {
      state_ = State::socks_reply;
      return Step{connect, false};
    }
    if (verdict == by_password && has_credentials()) {
      state_ = State::socks_auth;
      return Step{std::string{1, static_cast<char>(proxy_.user.size())} + proxy_.user +
                      static_cast<char>(proxy_.password.size()) + proxy_.password,
                  false};
    }
    if (verdict != no_way_accepted) return broken("it wants a way of authentication that was not offered");
    return proxy_wants_credentials(proxy_, "it accepts none of the offered ways of authentication");
  }
  if (state_ == State::socks_auth) {
    unread_.erase(0, 2);
    if (verdict != 0) return proxy_wants_credentials(proxy_, "it refused the user and password");
    state_ = State::socks_reply;
    return Step{connect, false};
  }
  if (verdict != 0) {
    const Errc code = verdict == 2 ? Errc::forbidden : Errc::unavailable;
    return Error{code, "it could not connect: " + std::string(reply_words(verdict))};
  }
  const auto size = reply_size(unread_);
  if (!size || unread_.size() < *size) return Step();
  if (*size == 0 || unread_.size() > *size) return broken("it sent something other than a reply of SOCKS 5");
  return Step{{}, true};
}

}  // namespace konductor::kube
