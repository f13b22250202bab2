#include "kube/exec_credential.hpp"

#include "tests/unit/kube/mutations.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

namespace konductor::kube {
namespace {

using testing::HasSubstr;

constexpr const char* v1 = "client.authentication.k8s.io/v1";
constexpr const char* v1beta1 = "client.authentication.k8s.io/v1beta1";

ExecPlugin plugin(const std::string& version = v1) {
  ExecPlugin plugin;
  plugin.api_version = version;
  plugin.command = "login";
  plugin.install_hint = "get it from\nthe shelf";
  plugin.field = "user \"u\"";
  return plugin;
}

std::string answer(const std::string& status, const std::string& version = v1) {
  return R"({"kind":"ExecCredential","apiVersion":")" + version + R"(","status":)" + status + "}";
}

Result<ExecCredential> judged(const std::string& out, const ExecPlugin& of = plugin()) {
  ExecRun run;
  run.out = out;
  return judge(run, of);
}

TEST(ExecCredential, is_a_token_or_a_certificate_with_its_key) {
  const auto token = judged(answer(R"({"token":"abc","expirationTimestamp":"2024-01-15T10:30:00Z"})")).value();
  EXPECT_EQ(token.token, "abc");
  EXPECT_EQ(to_rfc3339(token.expiry.value()), "2024-01-15T10:30:00Z");
  const auto pair = judged(answer(R"({"clientCertificateData":"C","clientKeyData":"K"})")).value();
  EXPECT_EQ(pair.certificate, "C");
  EXPECT_EQ(pair.key, "K");
  EXPECT_FALSE(pair.expiry);
  EXPECT_TRUE(judged(answer(R"({"token":"abc"})", v1beta1), plugin(v1beta1)).has_value());
}

TEST(ExecCredential, must_be_what_was_agreed) {
  const struct {
    std::string out;
    const char* words;
  } cases[] = {
      {"", "printed 0 bytes that are no ExecCredential"},
      {"Please log in.", "printed 14 bytes that are no ExecCredential"},
      {"[]", "that are no ExecCredential"},
      {R"({"kind":"Secret"})", "that are no ExecCredential"},
      {answer(R"({"token":"abc"})", v1beta1),
       "answered in \"client.authentication.k8s.io/v1beta1\", and its apiVersion"},
      {answer("null"), "gave neither a token nor a client certificate"},
      {answer(R"({"token":""})"), "gave neither a token nor a client certificate"},
      {answer(R"({"token":7})"), "gave neither a token nor a client certificate"},
      {answer(R"({"clientCertificateData":"C"})"), "gave only one of clientCertificateData and clientKeyData"},
      {answer(R"({"token":"a","clientKeyData":"K"})"), "gave only one of"},
      {answer(R"({"token":"a\r\nHost: x"})"), "gave a token with white space or control characters"},
      {answer(R"({"token":"a","expirationTimestamp":"tomorrow"})"), "gave the expirationTimestamp \"tomorrow\""},
  };
  for (const auto& c : cases) {
    const auto result = judged(c.out);
    ASSERT_FALSE(result.has_value()) << c.out;
    EXPECT_EQ(result.error().code, Errc::bad_config);
    EXPECT_THAT(result.error().detail, testing::StartsWith("user \"u\": the exec plugin login "));
    EXPECT_THAT(result.error().detail, HasSubstr(c.words));
    EXPECT_THAT(result.error().detail, testing::EndsWith("; get it from the shelf"));
  }
}

TEST(ExecCredential, shows_nothing_of_an_answer_that_may_be_half_a_secret) {
  EXPECT_THAT(judged(R"({"status":{"token":"s3cret")").error().detail, testing::Not(HasSubstr("s3cret")));
}

TEST(ExecCredential, says_how_a_program_failed_and_what_it_said) {
  ExecRun run;
  run.exit_code = 3;
  run.err = "no session\x1b[31m\nlog in first\n";
  auto error = judge(run, plugin()).error();
  EXPECT_EQ(error.code, Errc::unauthorized);
  EXPECT_EQ(error.detail,
            "user \"u\": the exec plugin login failed with exit code 3: no session\\x1b[31m log in first; get it from "
            "the shelf");
  run.err = std::string(5000, 'x');
  EXPECT_LT(judge(run, plugin()).error().detail.size(), 600U);
  run = {};
  run.signal = 9;
  EXPECT_THAT(judge(run, plugin()).error().detail, HasSubstr("failed with signal 9, and said nothing on stderr"));
  run.out_too_long = true;
  EXPECT_THAT(judge(run, plugin()).error().detail, HasSubstr("printed more than"));
}

TEST(ExecInfo, tells_the_cluster_only_where_it_was_asked_for) {
  const ExecCluster cluster{"https://h:6443", "name", true, "PEM", "http://p:1", R"({"audience":7})"};
  auto asked = plugin(v1beta1);
  EXPECT_EQ(nlohmann::json::parse(exec_info(asked, cluster, false)),
            nlohmann::json::parse(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",
                                      "spec":{"interactive":false}})"));
  asked.provide_cluster_info = true;
  EXPECT_EQ(nlohmann::json::parse(exec_info(asked, cluster, true))["spec"],
            nlohmann::json::parse(R"({"interactive":true,"cluster":{"server":"https://h:6443","tls-server-name":"name",
              "insecure-skip-tls-verify":true,"certificate-authority-data":"UEVN","proxy-url":"http://p:1",
              "config":{"audience":7}}})"));
}

TEST(ExecCredential, survives_any_text) {
  std::mt19937 random(6);
  const std::string good = answer(R"({"token":"abc","expirationTimestamp":"2024-01-15T10:30:00Z"})");
  int accepted = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto credential = judged(mutated(good, random));
    accepted += credential ? 1 : 0;
    EXPECT_TRUE(credential || credential.error().code == Errc::bad_config);
  }
  EXPECT_GT(accepted, 30);
}

}  // namespace
}  // namespace konductor::kube
