#include "io/http_transport.hpp"

#include "io/clock.hpp"
#include "io/connection_pool.hpp"
#include "kube/proxy_handshake.hpp"
#include "kube/time.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace konductor::io {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t read_size = std::size_t{16} << 10U;  // one TLS record
constexpr int proxy_authentication_required = 407;
constexpr std::uint32_t max_head = std::uint32_t{64} << 10U;

/// Seconds, or a date, which then is compared with the server's own.
int retry_after(std::string_view text, std::string_view date) {
  int seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed == std::errc{} && end == text.data() + text.size()) return std::max(seconds, 0);
  const auto then = kube::parse_http_date(text);
  const auto now = kube::parse_http_date(date);
  if (!then || !now || *then <= *now) return 0;
  constexpr std::int64_t most = 86400;
  return static_cast<int>(std::min(most, std::chrono::duration_cast<std::chrono::seconds>(*then - *now).count()));
}

/// Turns bytes into an answer, or into calls of a sink.
class AnswerParser final : public http::basic_parser<false> {
 public:
  AnswerParser(std::size_t max_body, const StreamSink* sink) : sink_(sink) {
    eager(true);
    header_limit(max_head);
    body_limit(max_body);
  }

  /// True once the server has said anything at all.
  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool has_rest() const { return !rest_.empty(); }
  [[nodiscard]] const kube::Response& response() const { return response_; }

  /// Empty bytes are the end of the stream.
  error_code feed(std::string_view bytes) {
    error_code code;
    if (bytes.empty()) {
      if (!started_) return http::error::partial_message;
      put_eof(code);
      return code;
    }
    started_ = true;
    rest_.append(bytes);
    const std::size_t used = put(asio::buffer(rest_), code);
    rest_.erase(0, used);
    if (code == http::error::need_more) code.clear();
    return code;
  }

 private:
  using View = boost::beast::string_view;

  void take(View body, error_code& code) {
    code.clear();
    if (streaming()) {
      sink_->on_bytes(body);
    } else {
      response_.body.append(body);
    }
  }
  [[nodiscard]] bool streaming() const { return sink_ != nullptr && response_.status == 200; }

  void on_request_impl(http::verb /*verb*/, View /*method*/, View /*target*/, int /*version*/,
                       error_code& code) override {
    code.clear();
  }
  void on_response_impl(int status, View /*reason*/, int /*version*/, error_code& code) override {
    code.clear();
    response_.status = status;
    if (streaming()) body_limit(boost::none);
  }
  void on_field_impl(http::field name, View /*text*/, View value, error_code& code) override {
    code.clear();
    if (name == http::field::date) response_.date = std::string(value);
    if (name == http::field::retry_after) retry_after_ = std::string(value);
  }
  void on_header_impl(error_code& code) override {
    code.clear();
    response_.retry_after_s = retry_after(retry_after_, response_.date);
    if (streaming()) sink_->on_response(response_);
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, error_code& code) override { code.clear(); }
  std::size_t on_body_impl(View body, error_code& code) override {
    take(body, code);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, View /*extensions*/, error_code& code) override { code.clear(); }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, View body, error_code& code) override {
    take(body, code);
    return body.size();
  }
  void on_finish_impl(error_code& code) override {
    code.clear();
    if (sink_ != nullptr && !streaming()) sink_->on_response(response_);
  }

  const StreamSink* sink_;
  kube::Response response_;
  std::string retry_after_;
  std::string rest_;
  bool started_ = false;
};

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string host_header(const Server& server) {
  return server.origin.substr(server.origin.find("//") + 2);
}

Result<std::string> to_text(const kube::Request& request, std::string_view authorization, const Server& server,
                            const TransportSettings& settings) {
  std::string head(kube::to_string(request.method));
  head += " " + (server.asks_proxy() ? server.origin : std::string()) + settings.path_prefix + request.target +
          " HTTP/1.1\r\nHost: " + host_header(server) + "\r\nUser-Agent: " + settings.user_agent +
          "\r\nAccept: " + request.accept;
  const std::string to_proxy = server.asks_proxy() ? kube::proxy_authorization(*server.proxy) : std::string();
  if (!to_proxy.empty()) head += "\r\nProxy-Authorization: " + to_proxy;
  if (!authorization.empty()) head.append("\r\nAuthorization: ").append(authorization);
  if (!request.content_type.empty()) head += "\r\nContent-Type: " + request.content_type;
  for (const std::string_view part : {std::string_view(request.target), std::string_view(request.accept), authorization,
                                      std::string_view(request.content_type)}) {
    if (has_control_characters(part)) {
      return Error{Errc::invalid, "a line break or control character in the token or the request's target"};
    }
  }
  if (!request.body.empty() || request.method != kube::Method::get) {
    head += "\r\nContent-Length: " + std::to_string(request.body.size());
  }
  return head + "\r\n\r\n" + request.body;
}

/// The answer is not what HTTP allows, or too much of it.
Error bad_answer(const std::string& origin, const error_code& code, const AnswerParser& parser, std::size_t max_body) {
  if (code == http::error::body_limit) {
    return Error{Errc::protocol_violation,
                 origin + ": the answer is larger than the bound of " + std::to_string(max_body) + " bytes"};
  }
  if (code == http::error::partial_message || code == http::error::end_of_stream) {
    return Error{Errc::unavailable,
                 origin + (parser.started() ? ": the connection was cut in the middle of the answer"
                                            : ": the server closed the connection without an answer")};
  }
  return Error{Errc::protocol_violation, origin + ": the answer is not HTTP (" + code.message() +
                                             "); is this the API server's address, with https:// where it is due?"};
}

}  // namespace

class HttpTransport::Impl {
 public:
  Impl(const asio::any_io_executor& executor, std::shared_ptr<const Server> server, TransportSettings settings)
      : settings_(std::move(settings)),
        pool_(std::make_shared<ConnectionPool>(executor, std::move(server), settings_.max_connections)) {}

  void use(std::shared_ptr<const Server> server) { pool_->use(std::move(server)); }
  void close() { pool_->close(); }

  // `self` keeps all of this alive until the call is over.
  static asio::awaitable<Result<kube::Response>> send(std::shared_ptr<Impl> self, const kube::Request& request,
                                                      std::string_view authorization, runtime::Duration deadline);
  static asio::awaitable<Result<void>> stream(std::shared_ptr<Impl> self, const kube::Request& request,
                                              std::string_view authorization, const StreamSink& sink,
                                              runtime::Duration idle);

 private:
  class Stoppable;
  asio::awaitable<Result<void>> exchange(ConnectionPool::Loan& loan, const std::string& text, AnswerParser& parser);
  asio::awaitable<Result<void>> read_answer(Connection& connection, AnswerParser& parser, runtime::Duration idle);

  [[nodiscard]] const std::string& origin() const { return pool_->server().origin; }

  TransportSettings settings_;
  std::shared_ptr<ConnectionPool> pool_;
};

/// Arms a StreamStop as long as the stream runs.
class HttpTransport::Impl::Stoppable {
 public:
  Stoppable(StreamStop* stop, Connection& connection) : stop_(stop) {
    if (stop_ != nullptr) stop_->close_ = [&connection] { connection.close(); };
  }
  ~Stoppable() {
    if (stop_ != nullptr) stop_->close_ = nullptr;
  }
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;

 private:
  StreamStop* stop_;
};

/// `idle` 0: the connection's own time limit stands.
asio::awaitable<Result<void>> HttpTransport::Impl::read_answer(Connection& connection, AnswerParser& parser,
                                                               runtime::Duration idle) {
  std::array<char, read_size> buffer;
  while (!parser.is_done()) {
    // An operation that was already complete when the cancellation came does not show it.
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
      co_return Error{Errc::cancelled, origin() + ": given up"};
    }
    if (idle.count() > 0) connection.expire_at(mono_now() + idle);
    const auto bytes = co_await connection.read_some(buffer);
    if (!bytes) co_return bytes.error();
    if (const error_code code = parser.feed(std::string_view(buffer.data(), *bytes))) {
      co_return bad_answer(origin(), code, parser, settings_.max_body);
    }
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> HttpTransport::Impl::exchange(ConnectionPool::Loan& loan, const std::string& text,
                                                            AnswerParser& parser) {
  auto written = co_await loan.connection().write(text);
  if (!written) co_return written;
  co_return co_await read_answer(loan.connection(), parser, runtime::Duration::zero());
}

asio::awaitable<Result<kube::Response>> HttpTransport::Impl::send(std::shared_ptr<Impl> self,
                                                                  const kube::Request& request,
                                                                  std::string_view authorization,
                                                                  runtime::Duration deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto until = mono_now() + deadline;
  const auto text = to_text(request, authorization, self->pool_->server(), self->settings_);
  if (!text) co_return text.error();
  auto loan = co_await self->pool_->borrow(until);
  if (!loan) co_return loan.error();
  for (;;) {
    loan->connection().expire_at(until);
    AnswerParser parser(self->settings_.max_body, nullptr);
    auto done = co_await self->exchange(*loan, *text, parser);
    if (done) {
      if (parser.keep_alive() && !parser.has_rest()) loan->give_back();
      if (parser.response().status == proxy_authentication_required && self->pool_->server().asks_proxy()) {
        const Server& server = self->pool_->server();
        co_return kube::proxy_wants_credentials(
            *server.proxy, server.origin + " through the proxy " + server.proxy->origin + ": status 407");
      }
      co_return parser.response();
    }
    Error error = done.error();
    const bool cut_unanswered = error.code == Errc::unavailable && !parser.started();
    if (request.method != kube::Method::get) {
      if (error.code == Errc::unavailable || error.code == Errc::timeout) {
        error.detail += "; the " + std::string(kube::to_string(request.method)) + " may have been executed";
      }
      co_return error;
    }
    if (!cut_unanswered || !loan->reused()) co_return error;
    const auto renewed = co_await loan->renew(until);
    if (!renewed) co_return renewed.error();
  }
}

asio::awaitable<Result<void>> HttpTransport::Impl::stream(std::shared_ptr<Impl> self, const kube::Request& request,
                                                          std::string_view authorization, const StreamSink& sink,
                                                          runtime::Duration idle) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto text = to_text(request, authorization, self->pool_->server(), self->settings_);
  if (!text) co_return text.error();
  ConnectionPool::Loan loan = self->pool_->extra();
  const Stoppable stoppable(sink.stop, loan.connection());
  loan.connection().expire_at(mono_now() + idle);
  auto opened = co_await loan.connection().open(self->pool_->names());
  if (!opened) co_return opened;
  auto written = co_await loan.connection().write(*text);
  if (!written) co_return written;
  AnswerParser parser(self->settings_.max_body, &sink);
  co_return co_await self->read_answer(loan.connection(), parser, idle);
}

HttpTransport::HttpTransport(const asio::any_io_executor& executor, std::shared_ptr<const Server> server,
                             TransportSettings settings)
    : impl_(std::make_shared<Impl>(executor, std::move(server), std::move(settings))) {}
HttpTransport::~HttpTransport() {
  close();
}

asio::awaitable<Result<kube::Response>> HttpTransport::send(const kube::Request& request,
                                                            std::string_view authorization,
                                                            runtime::Duration deadline) {
  return Impl::send(impl_, request, authorization, deadline);
}

asio::awaitable<Result<void>> HttpTransport::stream(const kube::Request& request, std::string_view authorization,
                                                    const StreamSink& sink, runtime::Duration idle) {
  return Impl::stream(impl_, request, authorization, sink, idle);
}

void HttpTransport::use(std::shared_ptr<const Server> server) {
  impl_->use(std::move(server));
}

void HttpTransport::close() {
  impl_->close();
}

}  // namespace konductor::io
