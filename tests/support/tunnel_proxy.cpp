#include "tests/support/tunnel_proxy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace konductor::tests {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

asio::awaitable<void> copy(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
  std::array<char, 4096> buffer;
  const auto into = asio::buffer(buffer);
  for (;;) {
    const auto [failed, bytes] = co_await from->async_read_some(into, as_result);
    if (failed) break;
    const auto part = asio::buffer(buffer.data(), bytes);
    const auto [unwritten, written] = co_await asio::async_write(*to, part, as_result);
    if (unwritten) break;
  }
  boost::system::error_code ignored;
  to->shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

TunnelProxy::TunnelProxy(asio::io_context& context, Kind kind, std::uint16_t port_behind)
    : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      kind_(kind),
      behind_(asio::ip::address_v4::loopback(), port_behind) {
  asio::co_spawn(context, accept(), asio::detached);
}

asio::awaitable<void> TunnelProxy::accept() {
  for (;;) {
    auto [code, socket] = co_await acceptor_.async_accept(as_result);
    if (code) co_return;
    auto client = std::make_shared<tcp::socket>(std::move(socket));
    asio::co_spawn(acceptor_.get_executor(), serve(std::move(client)), asio::detached);
  }
}

asio::awaitable<bool> TunnelProxy::shake_hands(tcp::socket& client) {
  std::string text;
  auto into = asio::dynamic_buffer(text);
  std::string_view answer = "HTTP/1.1 200 OK\r\n\r\n";
  if (kind_ == Kind::connect) {
    const auto [code, bytes] = co_await asio::async_read_until(client, into, "\r\n\r\n", as_result);
    if (code) co_return false;
  } else {
    std::array<char, 3> hello{};
    const auto first = asio::buffer(hello);
    const auto [none, few] = co_await asio::async_read(client, first, as_result);
    const auto welcome = asio::buffer(std::string_view("\5\0", 2));
    const auto [lost, sent] = co_await asio::async_write(client, welcome, as_result);
    const auto enough = asio::transfer_exactly(10);  // of an IPv4 address
    const auto [code, bytes] = co_await asio::async_read(client, into, enough, as_result);
    if (none || lost || code) co_return false;
    answer = std::string_view("\5\0\0\1\0\0\0\0\0\0", 10);
  }
  asked_.push_back(text);
  const auto whole = asio::buffer(answer);
  const auto [code, bytes] = co_await asio::async_write(client, whole, as_result);
  co_return !code;
}

asio::awaitable<void> TunnelProxy::serve(std::shared_ptr<tcp::socket> client) {
  const bool asked = co_await shake_hands(*client);
  if (!asked) co_return;
  auto server = std::make_shared<tcp::socket>(client->get_executor());
  const auto [code] = co_await server->async_connect(behind_, as_result);
  if (code) co_return;
  asio::co_spawn(client->get_executor(), copy(server, client), asio::detached);
  co_await copy(client, server);
}

}  // namespace konductor::tests
