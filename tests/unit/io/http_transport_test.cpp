#include "io/http_transport.hpp"

#include "io/clock.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/silent_port.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::ConnectionScript;
using namespace konductor::tests;

constexpr runtime::Duration long_time = 5s;
constexpr runtime::Duration short_time = 150ms;
constexpr runtime::Duration tolerance = 100ms;  // the product's promise

std::shared_ptr<const Server> plain_server(const std::string& host, std::uint16_t port) {
  auto server = std::make_shared<Server>();
  server->host = host;
  server->port = port;
  server->origin = "http://" + host + ":" + std::to_string(port);
  return server;
}

kube::Request get_request(const std::string& target = "/api") {
  kube::Request request;
  request.target = target;
  return request;
}

kube::Request patch_request() {
  kube::Request request;
  request.method = kube::Method::patch;
  request.target = "/x";
  request.body = "{}";
  request.content_type = "application/merge-patch+json";
  return request;
}

class Transport : public testing::Test {
 protected:
  HttpTransport& connect_to(std::vector<ConnectionScript> scripts, TransportSettings settings = {}) {
    server_.emplace(context_, std::move(scripts));
    return connect_to_address("127.0.0.1", server_->port(), std::move(settings));
  }
  HttpTransport& connect_to_address(const std::string& host, std::uint16_t port, TransportSettings settings = {}) {
    transport_.emplace(context_.get_executor(), plain_server(host, port), std::move(settings));
    return *transport_;
  }
  Result<kube::Response> send(const kube::Request& request, runtime::Duration deadline = long_time) {
    return run(context_, transport_->send(request, "", deadline));
  }
  /// Sends, and checks that it took just as long as it may.
  Error send_until_timeout(const kube::Request& request) {
    const auto before = mono_now();
    const auto result = send(request, short_time);
    const auto elapsed = mono_now() - before;
    EXPECT_GE(elapsed, short_time);
    EXPECT_LE(elapsed, short_time + tolerance);
    EXPECT_FALSE(result.has_value());
    return result ? Error{} : result.error();
  }

  boost::asio::io_context context_;
  std::optional<ScriptedServer> server_;
  std::optional<HttpTransport> transport_;
};

TEST_F(Transport, gives_status_body_and_headers) {
  connect_to({{ReadRequest{}, answer(429, "slow down", "Retry-After: 7\r\nDate: Mon, 15 Jan 2024 10:30:00 GMT\r\n")}});
  const auto response = send(get_request()).value();
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.body, "slow down");
  EXPECT_EQ(response.retry_after_s, 7);
  EXPECT_EQ(response.date, "Mon, 15 Jan 2024 10:30:00 GMT");
}

TEST_F(Transport, counts_retry_after_from_the_servers_own_date) {
  connect_to({{ReadRequest{}, answer(503, "",
                                     "Retry-After: Mon, 15 Jan 2024 10:30:30 GMT\r\n"
                                     "Date: Mon, 15 Jan 2024 10:30:00 GMT\r\n")}});
  EXPECT_EQ(send(get_request()).value().retry_after_s, 30);
}

TEST_F(Transport, writes_the_request_as_http) {
  TransportSettings settings;
  settings.user_agent = "tester/1";
  settings.path_prefix = "/prefix";
  connect_to({{ReadRequest{}, answer(200, "ok")}}, settings);
  const auto request = patch_request();
  ASSERT_TRUE(run(context_, transport_->send(request, "Bearer abc", long_time)));
  EXPECT_EQ(server_->requests().at(0),
            "PATCH /prefix/x HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server_->port()) +
                "\r\nUser-Agent: tester/1\r\nAccept: application/json\r\n"
                "Authorization: Bearer abc\r\nContent-Type: application/merge-patch+json\r\n"
                "Content-Length: 2\r\n\r\n{}");
}

TEST_F(Transport, refuses_a_token_with_a_line_break) {
  connect_to({});
  const auto request = get_request();
  const auto result = run(context_, transport_->send(request, "Bearer a\r\nX: y", long_time));
  EXPECT_EQ(result.error().code, Errc::invalid);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(Transport, joins_chunks) {
  connect_to({{ReadRequest{}, chunked_head(), chunk("one "), chunk("two"), last_chunk()}});
  EXPECT_EQ(send(get_request()).value().body, "one two");
}

TEST_F(Transport, takes_a_body_up_to_the_end_of_the_connection) {
  connect_to({{ReadRequest{}, Send{"HTTP/1.0 200 OK\r\n\r\nall of it"}}});
  EXPECT_EQ(send(get_request()).value().body, "all of it");
}

struct BadAnswer {
  const char* name;
  std::string bytes;
  Errc code;
  const char* words;
};
void PrintTo(const BadAnswer& bad, std::ostream* out) {
  *out << bad.name;
}

class BadAnswers : public Transport, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswers, are_errors_that_say_what_came) {
  TransportSettings settings;
  settings.max_body = 1000;
  connect_to({{ReadRequest{}, Send{GetParam().bytes}}}, settings);
  const auto result = send(get_request());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, GetParam().code) << result.error().detail;
  EXPECT_THAT(result.error().detail, HasSubstr(GetParam().words));
  EXPECT_THAT(result.error().detail, HasSubstr(server_->url()));
}

INSTANTIATE_TEST_SUITE_P(
    Transport, BadAnswers,
    testing::Values(
        BadAnswer{"cut_before_the_head", "", Errc::unavailable, "without an answer"},
        BadAnswer{"cut_in_the_head", "HTTP/1.1 200 OK\r\nContent-Le", Errc::unavailable, "in the middle of the answer"},
        BadAnswer{"cut_in_the_body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Errc::unavailable,
                  "in the middle of the answer"},
        BadAnswer{"cut_in_a_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc", Errc::unavailable,
                  "in the middle of the answer"},
        BadAnswer{"cut_between_chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                  Errc::unavailable, "in the middle of the answer"},
        BadAnswer{"garbage", "220 mail.example ESMTP\r\n\r\n", Errc::protocol_violation, "not HTTP"},
        BadAnswer{"tls_alert", std::string("\x15\x03\x01\x00\x02\x02\x46 and some more", 21), Errc::protocol_violation,
                  "not HTTP"},
        BadAnswer{"bad_chunk_size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                  Errc::protocol_violation, "not HTTP"},
        BadAnswer{"huge_length", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", Errc::protocol_violation,
                  "larger than the bound of 1000 bytes"},
        BadAnswer{"huge_chunk",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') + "\r\n",
                  Errc::protocol_violation, "larger than the bound of 1000 bytes"},
        BadAnswer{"endless_head", "HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x'), Errc::protocol_violation,
                  "not HTTP"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Transport, keeps_the_connection_for_the_next_request) {
  connect_to({{ReadRequest{}, answer(200, "1"), ReadRequest{}, answer(200, "2")}});
  EXPECT_EQ(send(get_request()).value().body, "1");
  EXPECT_EQ(send(patch_request()).value().body, "2");
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(Transport, does_not_keep_a_connection_that_the_server_closes) {
  connect_to({{ReadRequest{}, answer(200, "1", "Connection: close\r\n"), Hold{}}, {ReadRequest{}, answer(200, "2")}});
  EXPECT_EQ(send(get_request()).value().body, "1");
  EXPECT_EQ(send(patch_request()).value().body, "2");
}

TEST_F(Transport, does_not_keep_a_connection_with_bytes_that_nobody_asked_for) {
  connect_to({{ReadRequest{}, Send{answer(200, "1").bytes + "HTTP/1.1 200 OK\r\n"}, Hold{}},
              {ReadRequest{}, answer(200, "2")}});
  EXPECT_EQ(send(get_request()).value().body, "1");
  EXPECT_EQ(send(get_request()).value().body, "2");
}

TEST_F(Transport, sends_a_get_again_when_the_kept_connection_was_cut) {
  connect_to({{ReadRequest{}, answer(200, "1"), ReadRequest{}, Reset{}}, {ReadRequest{}, answer(200, "2")}});
  EXPECT_EQ(send(get_request()).value().body, "1");
  EXPECT_EQ(send(get_request()).value().body, "2");
  EXPECT_EQ(server_->requests().size(), 3U);
}

TEST_F(Transport, does_not_send_a_get_again_when_a_new_connection_was_cut) {
  connect_to({{ReadRequest{}, Reset{}}, {ReadRequest{}, answer(200, "2")}});
  EXPECT_EQ(send(get_request()).error().code, Errc::unavailable);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(Transport, says_that_a_cut_patch_may_have_been_executed) {
  connect_to({{ReadRequest{}, answer(200, "1"), ReadRequest{}, Close{}}});
  EXPECT_EQ(send(get_request()).value().body, "1");
  const auto result = send(patch_request());
  EXPECT_EQ(result.error().code, Errc::unavailable);
  EXPECT_THAT(result.error().detail, HasSubstr("the PATCH may have been executed"));
  EXPECT_EQ(server_->requests().size(), 2U);
}

// As after other credentials: an idle connection is closed, one that is at work finishes it, and is closed then.
TEST_F(Transport, drains_its_connections_when_the_server_is_another) {
  connect_to({{ReadRequest{}, answer(200, "1"), Hold{}},
              {ReadRequest{}, answer(200, "2"), Hold{}},
              {ReadRequest{}, answer(200, "3"), ReadRequest{}, answer(200, "4")}});
  EXPECT_EQ(send(get_request()).value().body, "1");
  transport_->use(plain_server("127.0.0.1", server_->port()));
  const auto request = get_request();
  std::optional<std::string> second;
  boost::asio::co_spawn(context_, transport_->send(request, "", long_time),
                        [&](std::exception_ptr, Result<kube::Response> r) { second = r.value().body; });
  while (server_->requests().size() < 2 && context_.run_one_for(1s) != 0) {
  }
  transport_->use(plain_server("127.0.0.1", server_->port()));
  while (!second && context_.run_one_for(1s) != 0) {
  }
  EXPECT_EQ(second, "2");
  EXPECT_EQ(send(get_request()).value().body, "3");
  EXPECT_EQ(send(get_request()).value().body, "4");
  EXPECT_EQ(server_->connections(), 3U);
}

TEST_F(Transport, notices_that_an_idle_connection_was_closed) {
  connect_to({{ReadRequest{}, answer(200, "1")}, {ReadRequest{}, answer(200, "2")}});
  EXPECT_EQ(send(get_request()).value().body, "1");
  while (context_.poll_one() != 0) {
  }
  EXPECT_EQ(send(patch_request()).value().body, "2");
}

TEST_F(Transport, ends_on_time_when_the_server_says_nothing) {
  connect_to({{ReadRequest{}, Hold{}}});
  const auto error = send_until_timeout(patch_request());
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.detail, HasSubstr("the PATCH may have been executed"));
}

TEST_F(Transport, ends_on_time_in_the_middle_of_a_body) {
  connect_to({{ReadRequest{}, chunked_head(), chunk("some"), Hold{}}});
  EXPECT_EQ(send_until_timeout(get_request()).code, Errc::timeout);
}

TEST_F(Transport, ends_on_time_in_the_queue) {
  TransportSettings settings;
  settings.max_connections = 1;
  connect_to({{ReadRequest{}, Hold{}}}, settings);
  const auto first = get_request("/first");
  bool first_done = false;
  boost::asio::co_spawn(context_, transport_->send(first, "", long_time),
                        [&](std::exception_ptr, Result<kube::Response>) { first_done = true; });
  const auto error = send_until_timeout(patch_request());
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_THAT(error.detail, HasSubstr("all 1 connections stayed busy"));
  EXPECT_THAT(error.detail, Not(HasSubstr("may have been executed")));
  EXPECT_FALSE(first_done);
}

TEST_F(Transport, serves_the_queue_in_order) {
  TransportSettings settings;
  settings.max_connections = 1;
  ConnectionScript script;
  for (int i = 0; i < 4; ++i) {
    script.emplace_back(ReadRequest{});
    script.emplace_back(answer(200, std::to_string(i)));
  }
  connect_to({script}, settings);
  const std::vector<kube::Request> requests = {get_request("/0"), get_request("/1"), get_request("/2"),
                                               get_request("/3")};
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < 3; ++i) {
    boost::asio::co_spawn(context_, transport_->send(requests[i], "", long_time),
                          [&](std::exception_ptr, Result<kube::Response> r) { bodies.push_back(r.value().body); });
  }
  bodies.push_back(run(context_, transport_->send(requests[3], "", long_time)).value().body);
  EXPECT_EQ(bodies, (std::vector<std::string>{"0", "1", "2", "3"}));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_THAT(server_->requests()[i], HasSubstr("GET /" + std::to_string(i)));
  EXPECT_EQ(server_->connections(), 1U);
}

// Through a proxy, because a connection to it is open only when it has answered.
TEST_F(Transport, waits_for_no_connection_in_particular) {
  using namespace std::string_literals;
  const Send greeting{"\x05\x00"s};
  const Send connected{"\x05\x00\x00\x01\0\0\0\0\0\0"s};
  const ConnectionScript opens{ReadSome{},    greeting,         ReadSome{},    connected,
                               ReadRequest{}, answer(200, "1"), ReadRequest{}, answer(200, "2")};
  server_.emplace(context_, std::vector<ConnectionScript>{opens, {Hold{}}});
  auto server = std::make_shared<Server>(*plain_server("127.0.0.1", 1));
  server->proxy = kube::parse_proxy_url("socks5://127.0.0.1:" + std::to_string(server_->port()), "ALL_PROXY").value();
  transport_.emplace(context_.get_executor(), std::move(server), TransportSettings{});
  const auto request = get_request();
  std::optional<std::string> first;
  boost::asio::co_spawn(context_, transport_->send(request, "", long_time),
                        [&](std::exception_ptr, Result<kube::Response> r) { first = r.value().body; });
  EXPECT_EQ(send(request).value().body, "2") << "over the first connection: its own is not open yet";
  EXPECT_EQ(first, "1");
  EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(Transport, says_that_the_connection_was_refused) {
  connect_to({});
  const std::string url = server_->url();
  server_->refuse();
  connect_to_address("127.0.0.1", static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  const auto result = send(patch_request());
  EXPECT_EQ(result.error().code, Errc::unavailable);
  EXPECT_EQ(result.error().detail, "connect to " + url + ": connection refused");
}

TEST_F(Transport, names_each_address_that_refused) {
  connect_to({});
  const auto port = server_->port();
  server_->refuse();
  connect_to_address("localhost", port);
  const auto result = send(get_request());
  EXPECT_EQ(result.error().code, Errc::unavailable);
  EXPECT_THAT(result.error().detail, HasSubstr("connect to http://localhost:"));
  EXPECT_THAT(result.error().detail, HasSubstr("connection refused"));
}

TEST_F(Transport, tries_all_addresses_of_a_name) {
  connect_to({{ReadRequest{}, answer(200, "v4")}});  // where localhost is ::1 too, that one refuses
  connect_to_address("localhost", server_->port());
  EXPECT_EQ(send(get_request()).value().body, "v4");
}

TEST_F(Transport, names_a_host_that_does_not_exist) {
  connect_to_address("api.invalid", 6443);
  const auto result = send(get_request());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::unavailable);
  EXPECT_THAT(result.error().detail, HasSubstr("look up api.invalid: "));
}

TEST_F(Transport, ends_on_time_while_connecting) {
  const SilentPort hole(context_);
  connect_to_address("127.0.0.1", hole.port());
  const auto error = send_until_timeout(patch_request());
  EXPECT_EQ(error.code, Errc::timeout);
  EXPECT_EQ(error.detail, "connect to http://127.0.0.1:" + std::to_string(hole.port()) + ": timed out");
}

TEST_F(Transport, close_ends_what_is_under_way_and_refuses_what_comes_later) {
  connect_to({{ReadRequest{}, Hold{}}});
  const auto request = get_request();
  boost::asio::post(context_, [&] { transport_->close(); });
  EXPECT_EQ(send(request).error().code, Errc::cancelled);
  EXPECT_EQ(send(request).error().code, Errc::cancelled);
}

TEST_F(Transport, can_be_cancelled_at_any_step) {
  for (int steps = 0; steps < 12; ++steps) {
    connect_to({{ReadRequest{}, Hold{}}});
    const auto request = get_request();
    boost::asio::cancellation_signal cancel;
    std::optional<Result<kube::Response>> result;
    boost::asio::co_spawn(
        context_, transport_->send(request, "", long_time),
        boost::asio::bind_cancellation_slot(
            cancel.slot(), [&](std::exception_ptr, Result<kube::Response> r) { result.emplace(std::move(r)); }));
    for (int i = 0; i < steps; ++i) context_.poll_one();
    ASSERT_FALSE(result);
    cancel.emit(boost::asio::cancellation_type::terminal);
    while (!result && context_.run_one_for(1s) != 0) {
    }
    ASSERT_TRUE(result) << "after " << steps << " steps";
    EXPECT_EQ(result->error().code, Errc::cancelled) << steps << " " << result->error().detail;
  }
}

}  // namespace
}  // namespace konductor::io
