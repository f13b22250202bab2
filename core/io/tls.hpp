#pragma once

#include "base/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace konductor::io {

/// PEM text, and what to call it in an error: where it was given, and the file that it is from.
struct NamedPem {
  std::string text;
  std::string name;
  bool operator==(const NamedPem&) const = default;
};

/// How to prove who we are and who the server is.
struct TlsSettings {
  NamedPem authorities;  // empty: the system's
  NamedPem certificate;  // of the client, with its chain; empty: none
  NamedPem key;
  std::string server_name;  // what the server's certificate must be for; empty: the host connected to
  bool insecure = false;    // believe any server
  bool system_too = false;  // the system's authorities beside `authorities`
  bool operator==(const TlsSettings&) const = default;
};

/// The checked and loaded form of TlsSettings.
class TlsContext;
Result<std::shared_ptr<TlsContext>> make_tls_context(const TlsSettings& settings);

/// The client's end of TLS over a socket, or over the TLS to a proxy. The layer below must outlive it.
class TlsStream {
 public:
  TlsStream(boost::asio::ip::tcp::socket& below, std::shared_ptr<TlsContext> context);
  TlsStream(TlsStream& below, std::shared_ptr<TlsContext> context);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  /// `host`: what the peer's certificate must be for, unless the context names another.
  boost::asio::awaitable<boost::system::error_code> handshake(const std::string& host);
  boost::asio::awaitable<std::pair<boost::system::error_code, std::size_t>> read_some(std::span<char> buffer);
  boost::asio::awaitable<boost::system::error_code> write(std::string_view bytes);

  /// Why a handshake failed, and what to do: an error of the peer's certificate, or of what it speaks. Nothing where
  /// `code` is of the connection itself. `where` starts the message.
  [[nodiscard]] std::optional<Error> explain(const boost::system::error_code& code, const std::string& where) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// True where the server refused our certificate; TLS 1.3 tells only at the first read.
bool is_client_refused(const boost::system::error_code& code);

/// True where the peer's end of the connection is gone without the goodbye of TLS.
bool is_cut(const boost::system::error_code& code);

}  // namespace konductor::io
