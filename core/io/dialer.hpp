#pragma once

#include "base/error.hpp"
#include "io/name_lookup.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace konductor::io {

/// Connects to the first of several addresses that answers, as RFC 8305 says: they are tried in turn, IPv6 and IPv4
/// alternating, each 250 ms after the one before or as soon as all tried have failed; what was begun goes on beside.
/// So an address that says nothing costs 250 ms, and not the deadline.
class Dialer {
 public:
  Dialer(boost::asio::any_io_executor executor, const Endpoints& endpoints);
  /// Calls cancel().
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// Once. The error says of each address why not, but does not name the server.
  boost::asio::awaitable<Result<boost::asio::ip::tcp::socket>> dial(runtime::MonoTime until);
  void cancel();

 private:
  struct Attempts;
  std::shared_ptr<Attempts> attempts_;
};

/// The same addresses, the families alternating, that of the first one first.
Endpoints alternating(const Endpoints& endpoints);

}  // namespace konductor::io
