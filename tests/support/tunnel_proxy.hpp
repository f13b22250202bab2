#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace konductor::tests {

/// A proxy on 127.0.0.1 in the same io_context as the client, that opens each tunnel to one place, whatever it is asked
/// for.
class TunnelProxy {
 public:
  enum class Kind { connect, socks5 };
  TunnelProxy(boost::asio::io_context& context, Kind kind, std::uint16_t port_behind);

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// What each client asked for, as it sent it.
  [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

 private:
  using Socket = boost::asio::ip::tcp::socket;
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(std::shared_ptr<Socket> client);
  boost::asio::awaitable<bool> shake_hands(Socket& client);

  boost::asio::ip::tcp::acceptor acceptor_;
  Kind kind_;
  boost::asio::ip::tcp::endpoint behind_;
  std::vector<std::string> asked_;
};

}  // namespace konductor::tests
