#include "io/dialer.hpp"

#include "io/clock.hpp"
#include "tests/support/run_coroutine.hpp"
#include "tests/support/silent_port.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;
using tests::SilentPort;

/// The address that it got to.
boost::asio::awaitable<Result<std::string>> address_of(Dialer& dialer, runtime::Duration patience) {
  const auto socket = co_await dialer.dial(mono_now() + patience);
  if (!socket) co_return socket.error();
  co_return socket->remote_endpoint().address().to_string();
}

class Dial : public testing::Test {
 protected:
  Result<std::string> dial(const Endpoints& endpoints, runtime::Duration patience = 5s) {
    Dialer dialer(context_.get_executor(), endpoints);
    return tests::run(context_, address_of(dialer, patience));
  }
  tcp::endpoint refusing() {
    tcp::acceptor acceptor(context_, tcp::endpoint(make_address("127.0.0.1"), 0));
    return acceptor.local_endpoint();
  }

  boost::asio::io_context context_;
  tcp::acceptor listening_{context_, tcp::endpoint(make_address("127.0.0.2"), 0)};
};

TEST_F(Dial, goes_to_the_next_address_at_once_when_one_refuses) {
  const auto before = mono_now();
  EXPECT_EQ(dial({refusing(), refusing(), listening_.local_endpoint()}).value(), "127.0.0.2");
  EXPECT_LT(mono_now() - before, 240ms);
}

TEST_F(Dial, goes_to_the_next_address_after_a_quarter_of_a_second_of_silence) {
  const SilentPort silent(context_);
  const auto before = mono_now();
  EXPECT_EQ(dial({silent.endpoint(), silent.endpoint(), listening_.local_endpoint()}).value(), "127.0.0.2");
  const auto elapsed = mono_now() - before;
  EXPECT_GE(elapsed, 500ms);
  EXPECT_LE(elapsed, 700ms);
}

TEST_F(Dial, ends_on_time_where_none_answers) {
  const SilentPort silent(context_);
  const auto before = mono_now();
  const auto result = dial({silent.endpoint(), silent.endpoint()}, 300ms);
  const auto elapsed = mono_now() - before;
  EXPECT_EQ(result.error().code, Errc::timeout);
  EXPECT_GE(elapsed, 300ms);
  EXPECT_LE(elapsed, 400ms);
}

TEST_F(Dial, says_of_each_address_why_not) {
  EXPECT_EQ(dial({refusing()}).error().detail, "connection refused");
  EXPECT_EQ(dial({refusing(), refusing()}).error().detail,
            "127.0.0.1 connection refused; 127.0.0.1 connection refused");
}

TEST_F(Dial, can_be_given_up) {
  const SilentPort silent(context_);
  Dialer dialer(context_.get_executor(), {silent.endpoint()});
  boost::asio::post(context_, [&] { dialer.cancel(); });
  EXPECT_EQ(tests::run(context_, address_of(dialer, 5s)).error().code, Errc::cancelled);
}

TEST(Alternating, mixes_the_families_and_keeps_their_order) {
  const auto order_of = [](const std::string& letters) {
    // Small letters are IPv4, capital ones IPv6.
    Endpoints endpoints;
    for (const char c : letters) {
      const auto* prefix = c >= 'a' ? "10.0.0." : "fd00::";
      endpoints.emplace_back(make_address(prefix + std::to_string(c % 32)), static_cast<std::uint16_t>(c));
    }
    std::string order;
    for (const auto& endpoint : alternating(endpoints)) order += static_cast<char>(endpoint.port());
    return order;
  };
  EXPECT_EQ(order_of("A"), "A");
  EXPECT_EQ(order_of("ABab"), "AaBb");
  EXPECT_EQ(order_of("ABCa"), "AaBC");
  EXPECT_EQ(order_of("aABC"), "aABC");
  EXPECT_EQ(order_of("abcABC"), "aAbBcC");
}

}  // namespace
}  // namespace konductor::io
