#include "kube/proxy_handshake.hpp"

#include "tests/unit/kube/mutations.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace konductor::kube {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

ProxyHandshake through(const std::string& proxy, const std::string& host = "api.example", std::uint16_t port = 6443) {
  return {parse_proxy_url(proxy, "HTTPS_PROXY").value(), host, port, "tester/1"};
}

/// Feeds `bytes` one at a time; what it says at the last one that it needs.
Result<ProxyHandshake::Step> trickle(ProxyHandshake& handshake, const std::string& bytes) {
  Result<ProxyHandshake::Step> step = ProxyHandshake::Step();
  for (const char byte : bytes) {
    step = handshake.feed(std::string(1, byte));
    if (!step || step->done || !step->send.empty()) return step;
  }
  return step;
}

Error error_of(const std::string& answer, const std::string& proxy = "http://p:1") {
  auto handshake = through(proxy);
  auto step = handshake.feed(answer);
  if (step && !step->done) step = handshake.end();
  return step ? Error{Errc::protocol_violation, "it was accepted"} : step.error();
}

TEST(HttpConnect, asks_for_host_and_port) {
  EXPECT_EQ(through("http://p:1").start(),
            "CONNECT api.example:6443 HTTP/1.1\r\nHost: api.example:6443\r\nUser-Agent: tester/1\r\n\r\n");
  EXPECT_EQ(through("https://u:p@p:1", "::1", 443).start(),
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nUser-Agent: tester/1\r\n"
            "Proxy-Authorization: Basic dTpw\r\n\r\n");
}

TEST(HttpConnect, takes_any_2xx_however_it_is_cut) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\nVia: p\r\n\r\n",
                             "HTTP/1.1 204 \r\nContent-Length: 0\r\n\r\n"}) {
    auto handshake = through("http://p:1");
    EXPECT_TRUE(trickle(handshake, answer).value().done) << answer;
  }
}

TEST(HttpConnect, keeps_the_words_of_a_refusal) {
  const std::string page = "api.example is not on the list";
  auto error = error_of("HTTP/1.1 403 Filtered\r\nContent-Length: " + std::to_string(page.size()) + "\r\n\r\n" + page);
  EXPECT_EQ(error.code, Errc::forbidden);
  EXPECT_EQ(error.detail, "it refused the tunnel: 403 Filtered: api.example is not on the list");
  error = error_of("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  EXPECT_EQ(error.code, Errc::bad_config);
  EXPECT_THAT(error.detail,
              HasSubstr("407 Proxy Authentication Required; put USER:PASSWORD@ before the host in HTTPS_PROXY"));
  error = error_of("HTTP/1.1 407 No\r\n\r\n", "http://u:s3cret@p:1");
  EXPECT_THAT(error.detail, HasSubstr("look at the user and password in HTTPS_PROXY"));
  EXPECT_THAT(error.detail, testing::Not(HasSubstr("s3cret")));
  EXPECT_EQ(error_of("HTTP/1.1 503 Down\r\n\r\n").code, Errc::unavailable);
  EXPECT_THAT(error_of("HTTP/1.1 301 Moved\r\nLocation: x\r\n\r\n").detail, HasSubstr("is this a proxy?"));
}

TEST(HttpConnect, waits_for_the_page_of_a_refusal_and_takes_what_it_gets) {
  auto handshake = through("http://p:1");
  EXPECT_FALSE(handshake.feed("HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nwo").value().done);
  EXPECT_EQ(handshake.end().error().detail, "it refused the tunnel: 403 No: wo");
}

TEST(HttpConnect, knows_what_is_no_answer) {
  EXPECT_EQ(error_of("220 mail.example ESMTP\r\n").code, Errc::protocol_violation);
  EXPECT_THAT(error_of("HTTP/1.1 OK\r\n\r\n").detail, HasSubstr("is not HTTP"));
  EXPECT_THAT(error_of("HTTP/1.1 200 OK\r\n\r\nmore").detail, HasSubstr("sent more than its answer"));
  EXPECT_THAT(error_of("HTTP/1.1 200 OK\r\nX: " + std::string(20000, 'x')).detail, HasSubstr("is not HTTP"));
  EXPECT_EQ(error_of("").detail, "it closed the connection without an answer");
  EXPECT_EQ(error_of("HTTP/1.1 200 O").code, Errc::unavailable);
}

TEST(Socks, asks_by_name_or_by_address) {
  auto by_name = through("socks5://p");
  EXPECT_EQ(by_name.start(), "\x05\x01\x00"s);
  EXPECT_EQ(trickle(by_name, "\x05\x00"s).value().send, "\x05\x01\x00\x03\x0b"s + "api.example" + "\x19\x2b");
  EXPECT_TRUE(trickle(by_name, "\x05\x00\x00\x01\x0a\x00\x00\x01\x10\x00"s).value().done);
  auto four = through("socks5://p", "10.0.0.1", 443);
  EXPECT_EQ(trickle(four, "\x05\x00"s).value().send, "\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb"s);
  auto six = through("socks5://p", "::1", 443);
  EXPECT_EQ(trickle(six, "\x05\x00"s).value().send, "\x05\x01\x00\x04"s + std::string(15, '\0') + "\x01\x01\xbb");
}

TEST(Socks, shows_user_and_password_where_they_are_wanted) {
  auto handshake = through("socks5://user:pw@p");
  EXPECT_EQ(handshake.start(), "\x05\x02\x00\x02"s);
  EXPECT_EQ(trickle(handshake, "\x05\x02"s).value().send, "\x01\x04user\x02pw"s);
  EXPECT_EQ(trickle(handshake, "\x01\x00"s).value().send.substr(0, 4), "\x05\x01\x00\x03"s);
  EXPECT_TRUE(trickle(handshake, "\x05\x00\x00\x03\x04name\x10\x00"s).value().done);
  auto refused = through("socks5://user:pw@p");
  ASSERT_TRUE(trickle(refused, "\x05\x02"s).has_value());
  EXPECT_THAT(trickle(refused, "\x01\x01"s).error().detail, HasSubstr("look at the user and password"));
}

TEST(Socks, says_why_not) {
  const struct {
    std::string replies;
    Errc code;
    const char* words;
  } cases[] = {
      {"\x05\xff"s, Errc::bad_config, "put USER:PASSWORD@"},
      {"\x05\x02"s, Errc::protocol_violation, "was not offered"},
      {"\x04\x00"s, Errc::protocol_violation, "not SOCKS 5"},
      {"HTTP/1.1 400 Bad Request"s, Errc::protocol_violation, "not SOCKS 5"},
      {"\x05\x00\x05\x02\x00\x01"s, Errc::forbidden, "do not allow it"},
      {"\x05\x00\x05\x04\x00\x01"s, Errc::unavailable, "host unreachable"},
      {"\x05\x00\x05\x05\x00\x01"s, Errc::unavailable, "connection refused"},
      {"\x05\x00\x05\x63\x00\x01"s, Errc::unavailable, "an unknown refusal"},
      {"\x05\x00\x05\x00\x00\x09\x00"s, Errc::protocol_violation, "something other than a reply"},
      {"\x05\x00\x05\x00\x00\x01\x01\x01\x01\x01\x01\x01more"s, Errc::protocol_violation, "something other"},
      {"\x05\x00\x05\x00\x00"s, Errc::unavailable, "closed the connection"},
  };
  for (const auto& c : cases) {
    auto handshake = through("socks5://p");
    auto step = handshake.feed(c.replies.substr(0, 2));
    if (step && c.replies.size() > 2) step = handshake.feed(c.replies.substr(2));
    if (step) step = handshake.end();
    ASSERT_FALSE(step.has_value());
    EXPECT_EQ(step.error().code, c.code) << c.words;
    EXPECT_THAT(step.error().detail, HasSubstr(c.words));
  }
}

TEST(ProxyHandshake, survives_any_bytes) {
  std::mt19937 random(6);
  int done = 0;
  for (int round = 0; round < 2000; ++round) {
    auto http = through("http://p:1");
    const auto step = trickle(http, mutated("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", random));
    done += step && step->done ? 1 : 0;
    auto socks = through("socks5://p");
    static_cast<void>(trickle(socks, "\x05\x00"s));
    static_cast<void>(trickle(socks, mutated("\x05\x00\x00\x03\x04name\x10\x00"s, random)));
  }
  EXPECT_GT(done, 200);
}

}  // namespace
}  // namespace konductor::kube
