#include "kube/jwt.hpp"

#include "kube/base64.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {
namespace {

std::string encode(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string encoded;
  unsigned bits = 0;
  unsigned have = 0;
  for (const char c : text) {
    bits = ((bits << 8U) | static_cast<unsigned char>(c)) & 0xffffffU;
    for (have += 8; have >= 6; have -= 6) encoded += alphabet[(bits >> (have - 6)) & 63U];
  }
  if (have > 0) encoded += alphabet[(bits << (6 - have)) & 63U];
  return encoded;
}

std::optional<BoundToken> claims(std::string_view payload) {
  return bound_token_claims(encode(R"({"alg":"RS256"})") + '.' + encode(payload) + ".c2lnbmF0dXJl");
}

TEST(Jwt, tells_pod_account_and_expiry) {
  const auto token = claims(R"({"exp":1705314600,"kubernetes.io":{"namespace":"team-a",
    "pod":{"name":"p","uid":"u-1"},"serviceaccount":{"name":"worker","uid":"u-2"}}})");
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->ns, "team-a");
  EXPECT_EQ(token->service_account, "worker");
  EXPECT_EQ(token->pod_name, "p");
  EXPECT_EQ(token->pod_uid, "u-1");
  ASSERT_TRUE(token->expiry.has_value());
  EXPECT_EQ(to_rfc3339(*token->expiry), "2024-01-15T10:30:00Z");
}

TEST(Jwt, may_be_bound_to_no_pod) {
  const auto token = claims(R"({"kubernetes.io":{"namespace":"team-a","serviceaccount":{"name":"worker"}}})");
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->pod_uid, "");
  EXPECT_EQ(token->expiry, std::nullopt);
}

TEST(Jwt, is_nothing_where_it_is_no_bound_token) {
  for (const char* payload : {"", "x", "[]", "{}", R"({"kubernetes.io":7})", R"({"kubernetes.io":{}})",
                              R"({"kubernetes.io":{"namespace":7}})", R"({"kubernetes.io":{"namespace":""}})",
                              R"({"kubernetes.io/serviceaccount/namespace":"team-a"})"}) {
    EXPECT_FALSE(claims(payload).has_value()) << payload;
  }
  const std::string good = encode(R"({"kubernetes.io":{"namespace":"team-a"}})");
  EXPECT_TRUE(bound_token_claims("." + good + ".").has_value());
  for (const std::string& text : {good, good + ".", "." + good, "." + good + "..", std::string("...")}) {
    EXPECT_FALSE(bound_token_claims(text).has_value()) << text;
  }
}

TEST(Jwt, survives_claims_of_wrong_types) {
  const auto token = claims(R"({"exp":1e300,"kubernetes.io":{"namespace":"n","pod":[],"serviceaccount":{"name":5}}})");
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->expiry, std::nullopt);
  EXPECT_EQ(claims(R"({"exp":9223372036854775807,"kubernetes.io":{"namespace":"n"}})")->expiry, std::nullopt);
}

TEST(Base64, decodes_rfc4648_vectors) {
  const struct {
    const char* text;
    const char* bytes;
  } cases[] = {{"", ""},
               {"Zg==", "f"},
               {"Zm8=", "fo"},
               {"Zm9v", "foo"},
               {"Zm9vYg==", "foob"},
               {"Zm9vYmE=", "fooba"},
               {"Zm9v\r\nYmFy\n", "foobar"}};
  for (const auto& c : cases) EXPECT_EQ(decode_base64(c.text), std::string(c.bytes)) << c.text;
  EXPECT_EQ(decode_base64("//+/"), "\xff\xff\xbf");
  EXPECT_EQ(decode_base64url("__-_"), "\xff\xff\xbf");
  EXPECT_EQ(decode_base64url("Zg"), "f");
}

TEST(Base64, refuses_malformed_text) {
  for (const char* text : {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z!==", "Zm8_", "-----BEGIN"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(decode_base64url("Zg=="), std::nullopt);
  EXPECT_EQ(decode_base64url("Z"), std::nullopt);
}

}  // namespace
}  // namespace konductor::kube
