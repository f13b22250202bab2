#include "io/token_source.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace konductor::io {
namespace {

using namespace std::chrono_literals;

constexpr runtime::MonoTime start{1h};

class FileToken : public testing::Test {
 protected:
  TokenSource source(const std::string& fixed = {}) {
    return {fixed, "/token", [this](const std::string&) {
              ++readings_;
              return file_;
            }};
  }
  Result<std::string> file_ = std::string("one\n");
  int readings_ = 0;
};

TEST(TokenSource, has_nothing_to_say_without_a_token) {
  EXPECT_EQ(TokenSource("", "", {}).authorization(start).value(), "");
}

TEST(TokenSource, keeps_a_fixed_token) {
  TokenSource source("abc", "", {});
  EXPECT_EQ(source.authorization(start).value(), "Bearer abc");
  EXPECT_FALSE(source.renew("Bearer abc", start));
}

TEST_F(FileToken, is_read_again_after_ten_seconds) {
  auto token = source();
  EXPECT_EQ(token.authorization(start).value(), "Bearer one");
  file_ = std::string("two");
  EXPECT_EQ(token.authorization(start + 9s).value(), "Bearer one");
  EXPECT_EQ(readings_, 1);
  EXPECT_EQ(token.authorization(start + 10s).value(), "Bearer two");
}

TEST_F(FileToken, is_read_again_when_the_server_refused_it) {
  auto token = source();
  const auto refused = token.authorization(start).value();
  EXPECT_FALSE(token.renew(refused, start));
  file_ = std::string("two");
  EXPECT_TRUE(token.renew(refused, start));
  EXPECT_EQ(token.authorization(start).value(), "Bearer two");
}

TEST_F(FileToken, stays_in_use_while_the_file_cannot_be_read) {
  auto token = source();
  EXPECT_TRUE(token.authorization(start).has_value());
  file_ = Error{Errc::not_found, "read /token: no such file"};
  EXPECT_EQ(token.authorization(start + 2min).value(), "Bearer one");
}

TEST_F(FileToken, is_preceded_by_the_fixed_one) {
  auto token = source("fixed");
  file_ = Error{Errc::not_found, "read /token: no such file"};
  EXPECT_EQ(token.authorization(start).value(), "Bearer fixed");
  file_ = std::string("one");
  EXPECT_EQ(token.authorization(start).value(), "Bearer one");
}

TEST_F(FileToken, is_an_error_when_it_was_never_readable) {
  auto token = source();
  file_ = Error{Errc::not_found, "read /token: no such file"};
  EXPECT_EQ(token.authorization(start).error().detail, "token: read /token: no such file");
  file_ = std::string(" \n");
  EXPECT_EQ(token.authorization(start).error().detail, "token: /token is empty");
}

}  // namespace
}  // namespace konductor::io
