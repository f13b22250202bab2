#include "tests/support/tls_front.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>

namespace konductor::tests {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct Link {
  Link(tcp::socket client, asio::ssl::context& context)
      : outside(std::move(client), context), inside(outside.get_executor()) {}
  asio::ssl::stream<tcp::socket> outside;
  tcp::socket inside;
};

template <class From, class To>
asio::awaitable<void> copy(std::shared_ptr<Link> link, From& from, To& to) {
  std::array<char, 4096> buffer;
  const auto into = asio::buffer(buffer);
  for (;;) {
    const auto [failed, bytes] = co_await from.async_read_some(into, as_result);
    if (failed) break;
    const auto part = asio::buffer(buffer.data(), bytes);
    const auto [unwritten, written] = co_await asio::async_write(to, part, as_result);
    if (unwritten) break;
  }
  boost::system::error_code ignored;
  link->inside.close(ignored);
  link->outside.next_layer().close(ignored);
}

}  // namespace

struct TlsFront::Impl {
  Impl(asio::io_context& io, std::uint16_t port_behind)
      : context(asio::ssl::context::tls_server),
        acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        behind(asio::ip::address_v4::loopback(), port_behind) {}

  static asio::awaitable<void> accept(std::shared_ptr<Impl> self) {
    for (;;) {
      auto [code, socket] = co_await self->acceptor.async_accept(as_result);
      if (code) co_return;
      auto link = std::make_shared<Link>(std::move(socket), self->context);
      asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(link)), asio::detached);
    }
  }

  static asio::awaitable<void> serve(std::shared_ptr<Impl> self, std::shared_ptr<Link> link) {
    const auto [refused] = co_await link->outside.async_handshake(asio::ssl::stream_base::server, as_result);
    if (refused) co_return;
    const auto [unreachable] = co_await link->inside.async_connect(self->behind, as_result);
    if (unreachable) co_return;
    asio::co_spawn(self->acceptor.get_executor(), copy(link, link->inside, link->outside), asio::detached);
    co_await copy(link, link->outside, link->inside);
  }

  asio::ssl::context context;
  tcp::acceptor acceptor;
  tcp::endpoint behind;
};

TlsFront::TlsFront(asio::io_context& context, const std::filesystem::path& folder, const std::string& name,
                   std::uint16_t port_behind)
    : impl_(std::make_shared<Impl>(context, port_behind)) {
  impl_->context.use_certificate_chain_file((folder / (name + ".crt")).string());
  impl_->context.use_private_key_file((folder / (name + ".key")).string(), asio::ssl::context::pem);
  asio::co_spawn(context, Impl::accept(impl_), asio::detached);
}

TlsFront::~TlsFront() {
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
}

std::uint16_t TlsFront::port() const {
  return impl_->acceptor.local_endpoint().port();
}

}  // namespace konductor::tests
