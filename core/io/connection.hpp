#pragma once

#include "base/error.hpp"
#include "io/name_lookup.hpp"
#include "io/server.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace konductor::io {

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

  /// Looks the name up and connects (Dialer); through the proxy if there is one; then TLS.
  boost::asio::awaitable<Result<void>> open(NameLookup& names);
  /// At least one byte, or 0 at the end of the stream.
  boost::asio::awaitable<Result<std::size_t>> read_some(std::span<char> buffer);
  boost::asio::awaitable<Result<void>> write(std::string_view bytes);

  /// False where the server is known to have closed it.
  [[nodiscard]] bool usable() const;
  [[nodiscard]] const std::shared_ptr<const Server>& server() const;
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace konductor::io
