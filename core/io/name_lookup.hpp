#pragma once

#include "base/error.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace konductor::io {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// Looks host names up. getaddrinfo() blocks for as long as the name servers are silent and can't be interrupted, so
/// it runs on a detached thread of its own, and who waits for it leaves on time. Look-ups of one name are shared.
class NameLookup {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;
  /// Called on a thread of its own, and may block.
  using Ask = std::function<Result<Addresses>(const std::string& host)>;

  /// Asks the system, by getaddrinfo().
  explicit NameLookup(boost::asio::any_io_executor executor);
  NameLookup(boost::asio::any_io_executor executor, Ask ask);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// Addresses in the system's order of preference, at least one. An IP literal is answered at once.
  boost::asio::awaitable<Result<Endpoints>> resolve(std::string host, std::uint16_t port, runtime::MonoTime until);

 private:
  struct Query;
  struct Mailbox;
  Result<std::shared_ptr<Query>> start(const std::string& host);

  boost::asio::any_io_executor executor_;
  Ask ask_;
  std::shared_ptr<Mailbox> mailbox_;
  std::weak_ptr<Query> running_;
};

}  // namespace konductor::io
