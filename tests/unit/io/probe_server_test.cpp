#include "io/probe_server.hpp"

#include "tests/support/run_coroutine.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

namespace konductor::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

ProbeAnswer answer(std::string_view path) {
  if (path == "/healthz") return {.body = "ok\n"};
  if (path == "/readyz") return {.status = 503, .body = "not synced\n"};
  return {.status = 404, .body = "no such page\n"};
}

class Probe : public testing::Test {
 protected:
  void SetUp() override { server_ = ProbeServer::listen(context_.get_executor(), "127.0.0.1:0", answer).value(); }

  static constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

  std::string ask(const std::string& bytes) { return tests::run(context_, talk(bytes)); }
  asio::awaitable<std::string> talk(std::string bytes) {
    tcp::socket socket = connected(bytes);
    co_return co_await rest_of(socket);
  }
  // The kernel takes connection and bytes: the server sees them once the context runs.
  tcp::socket connected(const std::string& bytes) {
    tcp::socket socket(context_);
    socket.connect({asio::ip::address_v4::loopback(), server_->port()});
    asio::write(socket, asio::buffer(bytes));
    return socket;
  }
  static asio::awaitable<std::string> rest_of(tcp::socket& socket) {
    std::string reply;
    auto in = asio::dynamic_buffer(reply);
    co_await asio::async_read(socket, in, as_result);
    co_return reply;
  }

  asio::io_context context_;
  std::unique_ptr<ProbeServer> server_;
};

TEST_F(Probe, answers_a_get) {
  EXPECT_EQ(ask("GET /healthz?verbose HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\nConnection: "
            "close\r\n\r\nok\n");
}

TEST_F(Probe, passes_the_status_on) {
  EXPECT_THAT(ask("GET /readyz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(ask("GET /other HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(Probe, answers_head_without_a_body) {
  const auto reply = ask("HEAD /healthz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n"));
}

TEST_F(Probe, refuses_other_methods) {
  EXPECT_THAT(ask("POST /healthz HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(Probe, answers_400_to_what_is_not_http) {
  for (const char* bytes : {"hello\r\n\r\n", "GET /healthz\r\n\r\n", "GET healthz HTTP/1.1\r\n\r\n", " \r\n\r\n",
                            "GET /a b HTTP/1.1\r\n\r\n", "GET /healthz SMTP/1.0\r\n\r\n", "\r\n\r\n"}) {
    EXPECT_THAT(ask(bytes), StartsWith("HTTP/1.1 400 ")) << bytes;
  }
}

TEST_F(Probe, answers_400_to_an_endless_head) {
  EXPECT_THAT(ask("GET /healthz HTTP/1.1\r\nX: " + std::string(8192 - 26, 'x')), StartsWith("HTTP/1.1 400 "));
}

// Forty connect and say nothing, or not all of it: who asks is answered, in the place of the one that came first.
TEST_F(Probe, is_answered_however_many_connections_are_idle) {
  const std::string request = "GET /healthz HTTP/1.1\r\n\r\n";
  for (const std::string& said : {std::string(), std::string("GET /healthz HTTP/1.1\r\nX-Slow: ")}) {
    std::vector<tcp::socket> idle;
    for (int i = 0; i < 40; ++i) idle.push_back(connected(said));
    EXPECT_THAT(ask(request), StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(tests::run(context_, rest_of(idle.front())), "") << "closed";
    asio::write(idle.back(), asio::buffer(said.empty() ? request : std::string("x\r\n\r\n")));
    EXPECT_THAT(tests::run(context_, rest_of(idle.back())), StartsWith("HTTP/1.1 ")) << "not closed";
  }
}

TEST_F(Probe, says_what_is_wrong_with_an_address) {
  const std::string taken = "127.0.0.1:" + std::to_string(server_->port());
  const auto result = ProbeServer::listen(context_.get_executor(), taken, answer);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::bad_config);
  EXPECT_EQ(result.error().detail, "--metrics-address \"" + taken +
                                       "\": can't listen there: address already in use; give IP:PORT, [IPv6]:PORT or "
                                       ":PORT, for example --metrics-address 127.0.0.1:9473, or \"off\"");
  struct Case {
    std::string address;
    std::string why;
  };
  for (const Case& one :
       {Case{"", "it has no :PORT"}, Case{"9090", "it has no :PORT"},
        Case{"host.example:1", "\"host.example\" is no IP address"}, Case{"127.0.0.1:", "\"\" is no port"},
        Case{"127.0.0.1:70000", "\"70000\" is no port from 0 to 65535"}, Case{"127.0.0.1:1x", "\"1x\" is no port"},
        Case{"::1:80", "an IPv6 address stands in brackets"}, Case{"[::1:80", "an IPv6 address stands in brackets"},
        Case{"192.0.2.1:80", "can't listen there: "}}) {
    const auto refused = ProbeServer::listen(context_.get_executor(), one.address, answer);
    ASSERT_FALSE(refused.has_value()) << one.address;
    EXPECT_THAT(refused.error().detail, StartsWith("--metrics-address \"" + one.address + "\": " + one.why));
    EXPECT_THAT(refused.error().detail, HasSubstr("for example --metrics-address 127.0.0.1:"));
  }
}

TEST_F(Probe, listens_on_all_addresses) {
  EXPECT_TRUE(ProbeServer::listen(context_.get_executor(), ":0", answer).has_value());
}

}  // namespace
}  // namespace konductor::io
