#include "io/probe_server.hpp"

#include "io/clock.hpp"
#include "kube/text.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace konductor::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t max_head = std::size_t{8} << 10U;
constexpr std::size_t max_connections = 32;
constexpr runtime::Duration time_limit = std::chrono::seconds{5};
constexpr runtime::Duration accept_pause = std::chrono::milliseconds{100};

struct RequestLine {
  std::string_view method;
  std::string_view path;
};

std::optional<RequestLine> parse_request_line(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return std::nullopt;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!line.substr(last + 1).starts_with("HTTP/1.") || !target.starts_with('/')) return std::nullopt;
  if (target.find(' ') != std::string_view::npos) return std::nullopt;
  return RequestLine{line.substr(0, first), target.substr(0, target.find('?'))};
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

std::string to_text(const ProbeAnswer& answer, bool with_body) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  text.append(reason_of(answer.status)).append("\r\nContent-Type: ").append(answer.content_type);
  if (answer.status == 405) text += "\r\nAllow: GET, HEAD";
  text += "\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\nConnection: close\r\n\r\n";
  return with_body ? text + answer.body : text;
}

// As it was given, and by which flag.
struct Given {
  std::string_view text;
  std::string_view flag;
};

Error bad_address(const Given& given, const std::string& why) {
  const std::string flag(given.flag);
  return {Errc::bad_config, flag + " " + kube::quoted(given.text) + ": " + why +
                                "; give IP:PORT, [IPv6]:PORT or :PORT, for example " + flag +
                                " 127.0.0.1:9473, or \"off\""};
}

/// "IP:PORT", "[IPv6]:PORT", "localhost:PORT", ":PORT".
Result<tcp::endpoint> parse_address(const Given& given) {
  const std::string_view text = given.text;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(given, "it has no :PORT");
  std::uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc{} || end != digits.data() + digits.size()) {
    return bad_address(given, kube::quoted(digits) + " is no port from 0 to 65535");
  }
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return bad_address(given, "an IPv6 address stands in brackets, as in [::1]:9473");
  }
  if (host.empty()) return tcp::endpoint(tcp::v6(), port);
  if (host == "localhost") host = "127.0.0.1";
  error_code not_literal;
  const auto address = asio::ip::make_address(host, not_literal);
  if (not_literal) return bad_address(given, kube::quoted(host) + " is no IP address");
  return tcp::endpoint(address, port);
}

error_code open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (failed) return failed;
  error_code ignored;
  acceptor.set_option(asio::socket_base::reuse_address(true), ignored);
  if (endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor.set_option(asio::ip::v6_only(false), ignored);
  }
  acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) acceptor.close(ignored);
  return failed;
}

}  // namespace

class ProbeServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const asio::any_io_executor& executor, Answerer answerer)
      : acceptor_(executor), pause_(executor), answerer_(std::move(answerer)) {}

  error_code open(const tcp::endpoint& endpoint);
  void start() { asio::co_spawn(acceptor_.get_executor(), accept(shared_from_this()), asio::detached); }
  void close();
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  struct Session;
  asio::awaitable<void> accept(std::shared_ptr<Impl> self);
  asio::awaitable<void> serve(std::shared_ptr<Impl> self, tcp::socket socket);
  std::string answer(std::string_view head);
  void make_room();
  void forget(const Session* session) { std::erase(sessions_, session); }

  tcp::acceptor acceptor_;
  BootTimer pause_;
  Answerer answerer_;
  std::vector<Session*> sessions_;  // open ones, in the order in which they came; each lives in its coroutine
};

struct ProbeServer::Impl::Session : std::enable_shared_from_this<Session> {
  Session(Impl& owner, tcp::socket connected)
      : server(owner), socket(std::move(connected)), timer(socket.get_executor(), mono_now() + time_limit) {
    server.sessions_.push_back(this);
  }
  ~Session() { server.forget(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  void limit_time() {
    timer.async_wait([weak = weak_from_this()](const error_code& cancelled) {
      if (const auto self = weak.lock(); self && !cancelled) self->close();
    });
  }
  void close() {
    server.forget(this);
    error_code ignored;
    socket.close(ignored);
  }

  Impl& server;
  tcp::socket socket;
  BootTimer timer;         // from its acceptance to its end
  bool answering = false;  // the request has come
};

error_code ProbeServer::Impl::open(const tcp::endpoint& endpoint) {
  const error_code failed = open_acceptor(acceptor_, endpoint);
  // A machine without IPv6.
  const bool any = endpoint.address().is_v6() && endpoint.address().is_unspecified();
  if (failed == asio::error::address_family_not_supported && any) {
    return open_acceptor(acceptor_, tcp::endpoint(tcp::v4(), endpoint.port()));
  }
  return failed;
}

void ProbeServer::Impl::close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  while (!sessions_.empty()) sessions_.front()->close();
}

// Whoever connects and says nothing must not keep a probe out.
void ProbeServer::Impl::make_room() {
  if (sessions_.size() < max_connections) return;
  const auto idle = std::ranges::find_if(sessions_, [](const Session* session) { return !session->answering; });
  (idle == sessions_.end() ? sessions_.front() : *idle)->close();
}

asio::awaitable<void> ProbeServer::Impl::accept(std::shared_ptr<Impl> self) {
  while (acceptor_.is_open()) {
    auto [code, socket] = co_await acceptor_.async_accept(as_result);
    if (code == asio::error::operation_aborted) break;
    if (code) {  // out of file descriptors, most likely
      pause_.expires_after(accept_pause);
      co_await pause_.async_wait(as_result);
    } else {
      make_room();
      asio::co_spawn(acceptor_.get_executor(), serve(self, std::move(socket)), asio::detached);
    }
  }
}

std::string ProbeServer::Impl::answer(std::string_view head) {
  const auto request = parse_request_line(head);
  if (!request) return to_text({.status = 400, .body = "not an HTTP/1 request\n"}, true);
  const bool is_get = request->method == "GET";
  if (!is_get && request->method != "HEAD") return to_text({.status = 405, .body = "only GET and HEAD\n"}, true);
  return to_text(answerer_(request->path), is_get);
}

asio::awaitable<void> ProbeServer::Impl::serve(std::shared_ptr<Impl> self, tcp::socket socket) {
  const auto session = std::make_shared<Session>(*self, std::move(socket));
  session->limit_time();
  std::string head;
  auto buffer = asio::dynamic_buffer(head, max_head);
  const auto [failed, size] = co_await asio::async_read_until(session->socket, buffer, "\r\n\r\n", as_result);
  // Cut, too late, or closed by us; a head over the bound is answered.
  if (failed && failed != asio::error::not_found) co_return;
  session->answering = true;
  const std::string text = failed ? std::string() : head.substr(0, size);
  const std::string reply = answer(text);
  const auto bytes = asio::buffer(reply);
  co_await asio::async_write(session->socket, bytes, as_result);
  error_code ignored;
  session->socket.shutdown(tcp::socket::shutdown_send, ignored);
  session->timer.cancel();
}

Result<std::unique_ptr<ProbeServer>> ProbeServer::listen(const asio::any_io_executor& executor,
                                                         std::string_view address, Answerer answerer,
                                                         std::string_view flag) {
  const Given given{address, flag};
  const auto endpoint = parse_address(given);
  if (!endpoint) return endpoint.error();
  auto impl = std::make_shared<Impl>(executor, std::move(answerer));
  if (const error_code failed = impl->open(*endpoint)) {
    std::string words = failed.message();
    if (!words.empty()) words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
    return bad_address(given, "can't listen there: " + words);
  }
  impl->start();
  return std::unique_ptr<ProbeServer>(new ProbeServer(std::move(impl)));
}

ProbeServer::ProbeServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProbeServer::~ProbeServer() {
  impl_->close();
}
std::uint16_t ProbeServer::port() const {
  return impl_->port();
}

}  // namespace konductor::io
