#include "io/tls.hpp"

#include "io/pem.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <variant>

namespace konductor::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class TlsContext {
 public:
  TlsContext() : context(asio::ssl::context::tls_client) {}
  asio::ssl::context context;
  std::string server_name;
  std::string authorities;  // where they were given, for messages
  bool insecure = false;
};

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

bool is_ip_literal(const std::string& host) {
  error_code not_literal;
  asio::ip::make_address(host, not_literal);
  return !not_literal;
}

/// An encrypted key must not make OpenSSL ask at the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

error_code load_authorities(asio::ssl::context& context, const TlsSettings& settings) {
  error_code failed;
  if (settings.authorities.text.empty() || settings.system_too) context.set_default_verify_paths(failed);
  if (!failed && !settings.authorities.text.empty()) {
    context.add_certificate_authority(asio::buffer(settings.authorities.text), failed);
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

std::string advice_on(long verify_result, const TlsContext& tls) {
  switch (verify_result) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      if (tls.authorities.empty()) {
        return " (the kubeconfig names no certificate-authority, and this system's do not know the server: set "
               "certificate-authority to the cluster's CA)";
      }
      return " (the certificate-authority does not match the server: get this cluster's CA, or its kubeconfig, anew; "
             "the one in use is " +
             tls.authorities + ")";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return " (connect by a name that the server's certificate has, or set tls-server-name in the kubeconfig)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED: return " (look at the server's certificate and at this machine's clock)";
    default: return {};
  }
}

}  // namespace

Result<std::shared_ptr<TlsContext>> make_tls_context(const TlsSettings& settings) {
  auto tls = std::make_shared<TlsContext>();
  tls->server_name = settings.server_name;
  tls->authorities = settings.authorities.name;
  tls->insecure = settings.insecure;
  SSL_CTX* const native = tls->context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(native, no_password);
  if (!settings.insecure) {
    if (const error_code failed = load_authorities(tls->context, settings)) {
      return broken(settings.authorities, failed);
    }
  }
  const auto loaded = load_identity(tls->context, settings.certificate, settings.key);
  if (!loaded) return loaded.error();
  return tls;
}

class TlsStream::Impl {
 public:
  using Direct = asio::ssl::stream<tcp::socket&>;
  using Nested = asio::ssl::stream<Direct&>;

  Impl(tcp::socket& below, std::shared_ptr<TlsContext> tls)
      : context(std::move(tls)), stream(std::in_place_type<Direct>, below, context->context) {}
  Impl(Direct& below, std::shared_ptr<TlsContext> tls)
      : context(std::move(tls)), stream(std::in_place_type<Nested>, below, context->context) {}

  [[nodiscard]] SSL* native() {
    return std::visit([](auto& over) { return over.native_handle(); }, stream);
  }

  std::shared_ptr<TlsContext> context;
  std::variant<Direct, Nested> stream;
};

namespace {

template <class Stream>
asio::awaitable<error_code> shake_hands(Stream& stream) {
  const auto [code] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
  co_return code;
}

template <class Stream>
asio::awaitable<std::pair<error_code, std::size_t>> read_from(Stream& stream, std::span<char> buffer) {
  const auto into = asio::buffer(buffer.data(), buffer.size());
  const auto [code, bytes] = co_await stream.async_read_some(into, as_result);
  co_return std::pair(code, bytes);
}

/// Without a name to check, any certificate of the authority would do.
asio::awaitable<error_code> refuse_to_check() {
  co_return asio::error::invalid_argument;
}

template <class Stream>
asio::awaitable<error_code> write_to(Stream& stream, std::string_view bytes) {
  const auto from = asio::buffer(bytes.data(), bytes.size());
  const auto [code, written] = co_await asio::async_write(stream, from, as_result);
  co_return code;
}

}  // namespace

TlsStream::TlsStream(tcp::socket& below, std::shared_ptr<TlsContext> context)
    : impl_(std::make_unique<Impl>(below, std::move(context))) {}
TlsStream::TlsStream(TlsStream& below, std::shared_ptr<TlsContext> context)
    : impl_(std::make_unique<Impl>(std::get<Impl::Direct>(below.impl_->stream), std::move(context))) {}
TlsStream::~TlsStream() = default;

asio::awaitable<error_code> TlsStream::handshake(const std::string& host) {
  SSL* const native = impl_->native();
  const TlsContext& tls = *impl_->context;
  const std::string& name = tls.server_name.empty() ? host : tls.server_name;
  bool checked = false;
  if (is_ip_literal(name)) {
    const std::string address = name.substr(0, name.find('%'));  // a zone is in no certificate
    checked = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(native), address.c_str()) == 1;
  } else {
    // What the macro SSL_set_tlsext_host_name does, without its C cast.
    SSL_ctrl(native, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
    SSL_set_hostflags(native, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    checked = SSL_set1_host(native, name.c_str()) == 1;
  }
  if (!checked && !tls.insecure) return refuse_to_check();
  SSL_set_verify(native, tls.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  return std::visit([](auto& stream) { return shake_hands(stream); }, impl_->stream);
}

asio::awaitable<std::pair<error_code, std::size_t>> TlsStream::read_some(std::span<char> buffer) {
  return std::visit([buffer](auto& stream) { return read_from(stream, buffer); }, impl_->stream);
}

asio::awaitable<error_code> TlsStream::write(std::string_view bytes) {
  return std::visit([bytes](auto& stream) { return write_to(stream, bytes); }, impl_->stream);
}

std::optional<Error> TlsStream::explain(const error_code& code, const std::string& where) const {
  const long verdict = SSL_get_verify_result(impl_->native());
  const TlsContext& tls = *impl_->context;
  if (!tls.insecure && verdict != X509_V_OK) {
    return Error{Errc::bad_config, where + "certificate verify failed: " + X509_verify_cert_error_string(verdict) +
                                       advice_on(verdict, tls)};
  }
  if (code.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(code.value())) == SSL_R_WRONG_VERSION_NUMBER) {
    return Error{Errc::bad_config, where + "the server does not speak TLS on this port (is its address http://?)"};
  }
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated) {
    return Error{Errc::unavailable, where + "the server closed the connection during the TLS handshake"};
  }
  return std::nullopt;
}

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

bool is_cut(const error_code& code) {
  return code == asio::ssl::error::stream_truncated;
}

}  // namespace konductor::io
