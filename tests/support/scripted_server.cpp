#include "tests/support/scripted_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdlib>
#include <utility>

namespace konductor::tests {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::size_t body_length(const std::string& head) {
  const std::string name = "\r\nContent-Length: ";
  const auto found = head.find(name);
  return found == std::string::npos ? 0 : std::strtoul(head.c_str() + found + name.size(), nullptr, 10);
}

}  // namespace

struct ScriptedServer::Peer {
  Peer(tcp::socket connected, ConnectionScript steps) : socket(std::move(connected)), script(std::move(steps)) {}
  tcp::socket socket;
  ConnectionScript script;
  std::string unread;
};

Send answer(int status, const std::string& body, const std::string& headers) {
  return {"HTTP/1.1 " + std::to_string(status) + " Words\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
          headers + "\r\n" + body};
}

Send chunked_head(int status) {
  return {"HTTP/1.1 " + std::to_string(status) + " Words\r\nTransfer-Encoding: chunked\r\n\r\n"};
}

Send chunk(const std::string& bytes) {
  std::array<char, 32> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  return {size.data() + bytes + "\r\n"};
}

Send last_chunk() {
  return {"0\r\n\r\n"};
}

ScriptedServer::ScriptedServer(asio::io_context& context, std::vector<ConnectionScript> scripts)
    : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), scripts_(scripts.begin(), scripts.end()) {
  asio::co_spawn(context, accept(), asio::detached);
}

std::uint16_t ScriptedServer::port() const {
  return acceptor_.local_endpoint().port();
}
std::string ScriptedServer::url() const {
  return "http://127.0.0.1:" + std::to_string(port());
}

void ScriptedServer::refuse() {
  acceptor_.close();
}

asio::awaitable<void> ScriptedServer::accept() {
  for (;;) {
    auto [code, socket] = co_await acceptor_.async_accept(as_result);
    if (code) co_return;
    ++connections_;
    ConnectionScript script;
    script.emplace_back(Reset());
    if (!scripts_.empty()) {
      script = std::move(scripts_.front());
      scripts_.pop_front();
    }
    peers_.push_back(std::make_shared<Peer>(std::move(socket), std::move(script)));
    asio::co_spawn(acceptor_.get_executor(), play(peers_.back()), asio::detached);
  }
}

asio::awaitable<void> ScriptedServer::play(std::shared_ptr<Peer> playing) {
  Peer& peer = *playing;
  boost::system::error_code ignored;
  for (const Step& step : peer.script) {
    if (std::holds_alternative<ReadRequest>(step)) {
      const bool complete = co_await read_request(peer);
      if (!complete) break;
    } else if (std::holds_alternative<ReadSome>(step)) {
      std::array<char, 1024> discarded;
      const auto into = asio::buffer(discarded);
      const auto [code, bytes] = co_await peer.socket.async_read_some(into, as_result);
      if (code) break;
    } else if (const auto* send = std::get_if<Send>(&step)) {
      const auto bytes = asio::buffer(send->bytes);
      const auto [code, written] = co_await asio::async_write(peer.socket, bytes, as_result);
      if (code) break;
    } else if (std::holds_alternative<Reset>(step)) {
      peer.socket.set_option(asio::socket_base::linger(true, 0), ignored);
      break;
    } else if (std::holds_alternative<Hold>(step)) {
      std::array<char, 1024> discarded;
      const auto into = asio::buffer(discarded);
      for (;;) {
        const auto [code, bytes] = co_await peer.socket.async_read_some(into, as_result);
        if (code) break;
      }
      break;
    } else {
      break;
    }
  }
  peer.socket.close(ignored);
}

asio::awaitable<bool> ScriptedServer::read_request(Peer& peer) {
  std::array<char, 4096> buffer;
  const auto into = asio::buffer(buffer);
  for (;;) {
    const auto head_end = peer.unread.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const auto whole = head_end + 4 + body_length(peer.unread.substr(0, head_end));
      if (peer.unread.size() >= whole) {
        requests_.push_back(peer.unread.substr(0, whole));
        peer.unread.erase(0, whole);
        co_return true;
      }
    }
    const auto [code, bytes] = co_await peer.socket.async_read_some(into, as_result);
    if (code) co_return false;
    peer.unread.append(buffer.data(), bytes);
  }
}

}  // namespace konductor::tests
