#pragma once

#include "base/error.hpp"
#include "io/name_lookup.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace konductor::io {

/// PEM text, and what to call it in an error: where it was given, and the file that it is from.
struct NamedPem {
  std::string text;
  std::string name;
};

/// How to prove who we are and who the server is.
struct TlsSettings {
  NamedPem authorities;  // empty: the system's
  NamedPem certificate;  // of the client, with its chain; empty: none
  NamedPem key;
  std::string server_name;  // what the server's certificate must be for; empty: the host connected to
  bool insecure = false;    // believe any server
};

/// The checked and loaded form of TlsSettings.
class TlsContext;
Result<std::shared_ptr<TlsContext>> make_tls_context(const TlsSettings& settings);

/// Where to connect to.
struct Server {
  std::string host;  // name or IP literal, without brackets
  std::uint16_t port = 443;
  std::shared_ptr<TlsContext> tls;  // null: plain text
  std::string origin;               // "https://host:port", for people
};

/// One TCP connection, with TLS or without. One operation at a time. An operation that passes the time set by
/// expire_at(), or is cancelled, leaves the connection closed. Errors name the server and say what failed.
class Connection {
 public:
  Connection(const boost::asio::any_io_executor& executor, std::shared_ptr<const Server> server);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// For all that follows, until it is called again or idle().
  void expire_at(runtime::MonoTime time);
  /// Nothing is being done: no time limit.
  void idle();

  /// Looks the name up and tries its addresses in order, each for its share of the time that is left; then TLS.
  boost::asio::awaitable<Result<void>> open(NameLookup& names);
  /// At least one byte, or 0 at the end of the stream.
  boost::asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer);
  boost::asio::awaitable<Result<void>> write(std::string_view bytes);

  /// True once open() was successful: what is sent afterwards may have been executed.
  [[nodiscard]] bool was_open() const;
  /// False where the server is known to have closed it.
  [[nodiscard]] bool usable() const;
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace konductor::io
