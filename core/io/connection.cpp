#include "io/connection.hpp"

#include "io/clock.hpp"
#include "io/dialer.hpp"
#include "kube/proxy_handshake.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cctype>
#include <poll.h>
#include <utility>

namespace konductor::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

using Bytes = std::pair<error_code, std::size_t>;

std::string words_of(const error_code& code) {
  std::string words = code.message();
  if (!words.empty()) words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return words;
}

}  // namespace

class Connection::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const asio::any_io_executor& executor, std::shared_ptr<const Server> server)
      : server_(std::move(server)), socket_(executor), timer_(executor) {}

  void expire_at(runtime::MonoTime time) {
    until_ = time;
    arm(time);
  }
  void idle() { timer_.cancel(); }
  void close() {
    closed_ = true;
    timer_.cancel();
    if (dialer_) dialer_->cancel();
    drop();
  }
  [[nodiscard]] bool usable() const;
  [[nodiscard]] const std::shared_ptr<const Server>& server() const { return server_; }

  asio::awaitable<Result<void>> open(NameLookup& names);
  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer);
  asio::awaitable<Result<void>> write(std::string_view bytes);

 private:
  void arm(runtime::MonoTime time);
  void drop() {
    error_code ignored;
    socket_.close(ignored);
  }
  asio::awaitable<Result<void>> connect(NameLookup& names);
  asio::awaitable<Result<void>> tunnel();
  asio::awaitable<Result<void>> handshake(TlsStream& tls, const std::string& host);
  asio::awaitable<Bytes> receive(std::span<char> buffer);
  asio::awaitable<error_code> transmit(std::string_view bytes);
  Error failure(const std::string& doing, const error_code& code);
  Error not_connected(const Error& error);
  [[nodiscard]] std::string connecting() const;

  std::shared_ptr<const Server> server_;
  tcp::socket socket_;
  std::shared_ptr<Dialer> dialer_;      // while it connects
  std::optional<TlsStream> proxy_tls_;  // over socket_
  std::optional<TlsStream> tls_;        // over what is there of the two
  BootTimer timer_;
  runtime::MonoTime until_ = runtime::MonoTime::max();
  bool closed_ = false;   // by its user
  bool expired_ = false;  // the timer, not the server, ended the operation
};

void Connection::Impl::arm(runtime::MonoTime time) {
  expired_ = false;
  timer_.expires_at(time);
  timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
    const auto self = weak.lock();
    // A wait that completed just before it was armed again is not the one meant.
    if (cancelled || !self || self->timer_.expiry() > mono_now()) return;
    self->expired_ = true;
    self->drop();
  });
}

bool Connection::Impl::usable() const {
  if (!socket_.is_open()) return false;
  pollfd look{.fd = const_cast<tcp::socket&>(socket_).native_handle(), .events = POLLIN | POLLRDHUP, .revents = 0};
  if (poll(&look, 1, 0) < 0) return false;
  if ((look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) return false;
  // Plain bytes that nobody asked for; under TLS they may be a session ticket.
  return tls_.has_value() || proxy_tls_.has_value() || (look.revents & POLLIN) == 0;
}

std::string Connection::Impl::connecting() const {
  const std::string where = "connect to " + server_->origin;
  return server_->proxy ? where + " through the proxy " + server_->proxy->origin : where;
}

/// Any failure ends the connection.
Error Connection::Impl::failure(const std::string& doing, const error_code& code) {
  const bool given_up = closed_ || code == asio::error::operation_aborted;
  close();
  if (expired_) return Error{Errc::timeout, doing + ": timed out"};
  if (given_up) return Error{Errc::cancelled, doing + ": given up"};
  if (tls_ && is_client_refused(code)) {  // by the server: a proxy is shown none
    return Error{Errc::unauthorized, doing + ": the server does not accept the client certificate: " + words_of(code)};
  }
  if (is_cut(code)) return Error{Errc::unavailable, doing + ": connection cut"};
  return Error{Errc::unavailable, doing + ": " + words_of(code)};
}

Error Connection::Impl::not_connected(const Error& error) {
  close();
  return Error{error.code, connecting() + ": " + error.detail};
}

asio::awaitable<Result<void>> Connection::Impl::connect(NameLookup& names) {
  const std::string& host = server_->proxy ? server_->proxy->host : server_->host;
  const std::uint16_t port = server_->proxy ? server_->proxy->port : server_->port;
  const auto endpoints = co_await names.resolve(host, port, until_);
  if (!endpoints && !server_->proxy) co_return endpoints.error();
  if (!endpoints) co_return not_connected(endpoints.error());
  if (closed_ || expired_) co_return failure(connecting(), asio::error::operation_aborted);
  dialer_ = std::make_shared<Dialer>(socket_.get_executor(), *endpoints);
  auto connected = co_await dialer_->dial(until_);
  dialer_.reset();
  if (!connected) co_return not_connected(connected.error());
  socket_ = std::move(*connected);
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  // Its time may have come while it was not yet this connection's socket.
  if (closed_ || expired_) co_return failure(connecting(), asio::error::operation_aborted);
  co_return Result<void>();
}

asio::awaitable<Result<void>> Connection::Impl::tunnel() {
  kube::ProxyHandshake handshake(*server_->proxy, server_->host, server_->port, "konductor");
  std::array<char, 4096> buffer;
  std::string next = handshake.start();
  for (;;) {
    if (!next.empty()) {
      const auto failed = co_await transmit(next);
      if (failed) co_return failure(connecting(), failed);
    }
    const auto [code, bytes] = co_await receive(buffer);
    const bool ended = code == asio::error::eof;
    if (code && !ended) co_return failure(connecting(), code);
    auto step = ended ? handshake.end() : handshake.feed(std::string_view(buffer.data(), bytes));
    if (!step) co_return not_connected(step.error());
    if (step->done) co_return Result<void>();
    next = std::move(step->send);
  }
}

asio::awaitable<Result<void>> Connection::Impl::handshake(TlsStream& tls, const std::string& host) {
  const auto code = co_await tls.handshake(host);
  if (!code) co_return Result<void>();
  auto explained = closed_ || expired_ ? std::nullopt : tls.explain(code, connecting() + ": ");
  if (!explained) co_return failure(connecting(), code);
  close();
  co_return std::move(*explained);
}

asio::awaitable<Result<void>> Connection::Impl::open(NameLookup& names) {
  auto done = co_await connect(names);
  if (done && server_->proxy_tls) {
    proxy_tls_.emplace(socket_, server_->proxy_tls);
    done = co_await handshake(*proxy_tls_, server_->proxy->host);
  }
  if (done && server_->proxy && !server_->asks_proxy()) done = co_await tunnel();
  if (done && server_->tls) {
    if (proxy_tls_) {
      tls_.emplace(*proxy_tls_, server_->tls);
    } else {
      tls_.emplace(socket_, server_->tls);
    }
    done = co_await handshake(*tls_, server_->host);
  }
  co_return done;
}

asio::awaitable<Bytes> Connection::Impl::receive(std::span<char> buffer) {
  if (tls_) co_return co_await tls_->read_some(buffer);
  if (proxy_tls_) co_return co_await proxy_tls_->read_some(buffer);
  const auto into = asio::buffer(buffer.data(), buffer.size());
  const auto [code, bytes] = co_await socket_.async_read_some(into, as_result);
  co_return Bytes(code, bytes);
}

asio::awaitable<error_code> Connection::Impl::transmit(std::string_view bytes) {
  if (tls_) co_return co_await tls_->write(bytes);
  if (proxy_tls_) co_return co_await proxy_tls_->write(bytes);
  const auto from = asio::buffer(bytes.data(), bytes.size());
  const auto [code, written] = co_await asio::async_write(socket_, from, as_result);
  co_return code;
}

asio::awaitable<Result<std::size_t>> Connection::Impl::read_some(std::span<char> buffer) {
  const auto [code, bytes] = co_await receive(buffer);
  if (code == asio::error::eof) co_return std::size_t(0);
  if (code) co_return failure(server_->origin, code);
  co_return bytes;
}

asio::awaitable<Result<void>> Connection::Impl::write(std::string_view bytes) {
  const auto code = co_await transmit(bytes);
  if (code) co_return failure(server_->origin, code);
  co_return Result<void>();
}

Connection::Connection(const asio::any_io_executor& executor, std::shared_ptr<const Server> server)
    : impl_(std::make_shared<Impl>(executor, std::move(server))) {}
Connection::~Connection() {
  impl_->close();
}

void Connection::expire_at(runtime::MonoTime time) {
  impl_->expire_at(time);
}
void Connection::idle() {
  impl_->idle();
}
bool Connection::usable() const {
  return impl_->usable();
}
const std::shared_ptr<const Server>& Connection::server() const {
  return impl_->server();
}
void Connection::close() {
  impl_->close();
}

asio::awaitable<Result<void>> Connection::open(NameLookup& names) {
  return impl_->open(names);
}
asio::awaitable<Result<std::size_t>> Connection::read_some(std::span<char> buffer) {
  return impl_->read_some(buffer);
}
asio::awaitable<Result<void>> Connection::write(std::string_view bytes) {
  return impl_->write(bytes);
}

}  // namespace konductor::io
