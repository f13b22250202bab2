#include "io/connection.hpp"

#include "io/clock.hpp"
#include "io/pem.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cctype>
#include <optional>
#include <poll.h>
#include <utility>

namespace konductor::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class TlsContext {
 public:
  TlsContext() : context(asio::ssl::context::tls_client) {}
  asio::ssl::context context;
  std::string server_name;
  bool insecure = false;
};

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::string words_of(const error_code& code) {
  std::string words = code.message();
  if (!words.empty()) words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return words;
}

bool is_ip_literal(const std::string& host) {
  error_code not_literal;
  asio::ip::make_address(host, not_literal);
  return !not_literal;
}

/// An encrypted key must not make OpenSSL ask at the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

error_code load_authorities(asio::ssl::context& context, const std::string& pem) {
  error_code failed;
  if (pem.empty()) {
    context.set_default_verify_paths(failed);
  } else {
    context.add_certificate_authority(asio::buffer(pem), failed);
  }
  return failed;
}

// Its BEGIN and END lines were right: what is between them is not.
Error broken(const NamedPem& pem, const error_code& code) {
  return Error{Errc::bad_config, pem.name + ": " + pem_blocks(pem.text) +
                                     " was found, but what is in it can't be read (OpenSSL: " + code.message() +
                                     "); is it complete, and unchanged since it was made?"};
}

bool is_mismatch(const error_code& code) {
  const auto value = static_cast<unsigned long>(code.value());
  const int reason = ERR_GET_REASON(value);
  return ERR_GET_LIB(value) == ERR_LIB_X509 &&
         (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH);
}

Result<void> load_identity(asio::ssl::context& context, const NamedPem& certificate, const NamedPem& key) {
  if (certificate.text.empty() && key.text.empty()) return {};
  if (certificate.text.empty() || key.text.empty()) {
    const bool no_key = key.text.empty();
    return Error{Errc::bad_config, (no_key ? certificate : key).name +
                                       ": a client certificate and its key go together, " +
                                       (no_key ? "and no client-key is given" : "and no client-certificate is given")};
  }
  error_code failed;
  context.use_certificate_chain(asio::buffer(certificate.text), failed);
  if (failed) return broken(certificate, failed);
  context.use_private_key(asio::buffer(key.text), asio::ssl::context::pem, failed);
  // OpenSSL compares the two only where they are of one type; else the key silently replaces the certificate.
  const bool fits = !failed && SSL_CTX_check_private_key(context.native_handle()) == 1;
  if (fits) return {};
  if (!failed || is_mismatch(failed)) {
    return Error{Errc::bad_config,
                 key.name + ": this key does not match the certificate, which is from " + certificate.name};
  }
  return broken(key, failed);
}

const char* advice_on(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return " (the kubeconfig's certificate-authority does not match the server)";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return " (connect by a name that the server's certificate has, or set tls-server-name in the kubeconfig)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED: return " (look at the server's certificate and at this machine's clock)";
    default: return "";
  }
}

/// True where the server refused our certificate; TLS 1.3 tells only at the first read.
bool is_client_refused(const error_code& code) {
  if (code.category() != asio::error::get_ssl_category()) return false;
  switch (ERR_GET_REASON(static_cast<unsigned long>(code.value()))) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return true;
    default: return false;
  }
}

}  // namespace

Result<std::shared_ptr<TlsContext>> make_tls_context(const TlsSettings& settings) {
  auto tls = std::make_shared<TlsContext>();
  tls->server_name = settings.server_name;
  tls->insecure = settings.insecure;
  SSL_CTX* const native = tls->context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(native, no_password);
  if (!settings.insecure) {
    if (const error_code failed = load_authorities(tls->context, settings.authorities.text)) {
      return broken(settings.authorities, failed);
    }
  }
  const auto loaded = load_identity(tls->context, settings.certificate, settings.key);
  if (!loaded) return loaded.error();
  return tls;
}

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
    drop();
  }
  [[nodiscard]] bool was_open() const { return was_open_; }
  [[nodiscard]] bool usable() const;

  asio::awaitable<Result<void>> open(NameLookup& names);
  asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer);
  asio::awaitable<Result<void>> write(std::string_view bytes);

 private:
  void arm(runtime::MonoTime time);
  void drop() {
    error_code ignored;
    socket_.close(ignored);
  }
  asio::awaitable<Result<void>> connect(const Endpoints& endpoints);
  asio::awaitable<Result<void>> handshake();
  Error failure(const std::string& doing, const error_code& code);
  Error handshake_failure(const error_code& code);

  std::shared_ptr<const Server> server_;
  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;  // over socket_
  BootTimer timer_;
  runtime::MonoTime until_ = runtime::MonoTime::max();
  bool was_open_ = false;
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
  return tls_.has_value() || (look.revents & POLLIN) == 0;
}

/// Any failure ends the connection.
Error Connection::Impl::failure(const std::string& doing, const error_code& code) {
  const std::string where = doing + server_->origin;
  const bool given_up = closed_ || code == asio::error::operation_aborted;
  close();
  if (expired_) return Error{Errc::timeout, where + ": timed out"};
  if (given_up) return Error{Errc::cancelled, where + ": given up"};
  if (is_client_refused(code)) {
    return Error{Errc::unauthorized, where + ": the server does not accept the client certificate: " + words_of(code)};
  }
  if (code == asio::ssl::error::stream_truncated) return Error{Errc::unavailable, where + ": connection cut"};
  return Error{Errc::unavailable, where + ": " + words_of(code)};
}

Error Connection::Impl::handshake_failure(const error_code& code) {
  const std::string where = "connect to " + server_->origin + ": ";
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  if (!expired_ && !closed_ && !server_->tls->insecure && verdict != X509_V_OK) {
    close();
    return Error{Errc::bad_config,
                 where + "certificate verify failed: " + X509_verify_cert_error_string(verdict) + advice_on(verdict)};
  }
  if (code.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(code.value())) == SSL_R_WRONG_VERSION_NUMBER) {
    close();
    return Error{Errc::bad_config, where + "the server does not speak TLS on this port (is its address http://?)"};
  }
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated) {
    close();
    return Error{Errc::unavailable, where + "the server closed the connection during the TLS handshake"};
  }
  return failure("connect to ", code);
}

asio::awaitable<Result<void>> Connection::Impl::connect(const Endpoints& endpoints) {
  std::string failures;
  const auto whole = until_;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    // A wait that was already over when the cancellation came does not show it.
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
      co_return failure("connect to ", asio::error::operation_aborted);
    }
    const auto now = mono_now();
    arm(now + (whole - now) / static_cast<runtime::Duration::rep>(endpoints.size() - i));
    const auto [code] = co_await socket_.async_connect(endpoints[i], as_result);
    if (!code) {
      error_code ignored;
      socket_.set_option(tcp::no_delay(true), ignored);
      socket_.set_option(asio::socket_base::keep_alive(true), ignored);
      arm(whole);
      co_return Result<void>();
    }
    if (endpoints.size() == 1 || mono_now() >= whole) co_return failure("connect to ", code);
    if (code == asio::error::operation_aborted && !expired_) co_return failure("connect to ", code);
    drop();
    failures += (failures.empty() ? "" : "; ") + endpoints[i].address().to_string() + " " +
                (expired_ ? std::string("did not answer") : words_of(code));
  }
  close();
  co_return Error{Errc::unavailable, "connect to " + server_->origin + ": " + failures};
}

asio::awaitable<Result<void>> Connection::Impl::handshake() {
  tls_.emplace(socket_, server_->tls->context);
  SSL* const native = tls_->native_handle();
  const std::string& name = server_->tls->server_name.empty() ? server_->host : server_->tls->server_name;
  if (is_ip_literal(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(native), name.c_str());
  } else {
    // What the macro SSL_set_tlsext_host_name does, without its C cast.
    SSL_ctrl(native, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
    SSL_set_hostflags(native, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(native, name.c_str());
  }
  SSL_set_verify(native, server_->tls->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  const auto [code] = co_await tls_->async_handshake(asio::ssl::stream_base::client, as_result);
  if (code) co_return handshake_failure(code);
  co_return Result<void>();
}

asio::awaitable<Result<void>> Connection::Impl::open(NameLookup& names) {
  auto endpoints = co_await names.resolve(server_->host, server_->port, until_);
  if (!endpoints) co_return endpoints.error();
  auto connected = co_await connect(*endpoints);
  if (connected && server_->tls) connected = co_await handshake();
  was_open_ = connected.has_value();
  co_return connected;
}

asio::awaitable<Result<std::size_t>> Connection::Impl::read_some(std::span<char> buffer) {
  error_code code;
  std::size_t bytes = 0;
  const auto into = asio::buffer(buffer.data(), buffer.size());
  if (tls_) {
    std::tie(code, bytes) = co_await tls_->async_read_some(into, as_result);
  } else {
    std::tie(code, bytes) = co_await socket_.async_read_some(into, as_result);
  }
  if (code == asio::error::eof) co_return std::size_t{0};
  if (code) co_return failure("", code);
  co_return bytes;
}

asio::awaitable<Result<void>> Connection::Impl::write(std::string_view bytes) {
  error_code code;
  std::size_t written = 0;
  const auto from = asio::buffer(bytes.data(), bytes.size());
  if (tls_) {
    std::tie(code, written) = co_await asio::async_write(*tls_, from, as_result);
  } else {
    std::tie(code, written) = co_await asio::async_write(socket_, from, as_result);
  }
  if (code) co_return failure("", code);
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
bool Connection::was_open() const {
  return impl_->was_open();
}
bool Connection::usable() const {
  return impl_->usable();
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
