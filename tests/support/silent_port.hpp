#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <deque>
#include <sys/socket.h>

namespace konductor::tests {

/// A listening socket of 127.0.0.1 whose queue is full: Linux drops the SYN of whoever comes next.
class SilentPort {
 public:
  explicit SilentPort(boost::asio::io_context& context) : acceptor_(context) {
    const boost::asio::ip::tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
    acceptor_.open(any.protocol());
    acceptor_.bind(any);
    acceptor_.listen(0);
    for (int i = 0; i < 4; ++i) {
      auto& socket = fill_.emplace_back(context);
      socket.open(any.protocol());
      socket.native_non_blocking(true);
      const auto where = endpoint();
      // Not Asio's connect: that one waits for the outcome.
      (void)::connect(socket.native_handle(), where.data(), static_cast<socklen_t>(where.size()));
    }
  }
  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  [[nodiscard]] std::uint16_t port() const { return endpoint().port(); }

 private:
  boost::asio::ip::tcp::acceptor acceptor_;
  std::deque<boost::asio::ip::tcp::socket> fill_;
};

}  // namespace konductor::tests
