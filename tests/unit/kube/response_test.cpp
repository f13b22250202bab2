#include "kube/response.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ostream>
#include <string>

namespace konductor::kube {
namespace {

using nlohmann::json;

Response status_of(int code, const std::string& reason, const std::string& message, const json& details = {}) {
  json status = {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Failure"}, {"code", code}};
  status["reason"] = reason;
  status["message"] = message;
  if (!details.is_null()) status["details"] = details;
  return {.status = code, .body = status.dump(), .retry_after_s = 0, .date = {}};
}

struct Case {
  const char* name;
  Response response;
  Errc code;
  std::string detail;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

const json details_of_x = {{"name", "x"}, {"group", "example.com"}, {"kind", "widgets"}};

class Classify : public testing::TestWithParam<Case> {};

TEST_P(Classify, gives_code_and_one_line_with_the_servers_words) {
  const auto result = classify(GetParam().response, "create widgets.example.com team-a/x");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, GetParam().code) << to_string(result.error().code);
  EXPECT_EQ(result.error().detail, "create widgets.example.com team-a/x: " + GetParam().detail);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Classify,
    testing::Values(
        Case{"unauthorized", status_of(401, "Unauthorized", "Unauthorized"), Errc::unauthorized,
             "unauthorized: Unauthorized; the credentials are missing, wrong or expired: log in again or get a new "
             "token"},
        Case{"forbidden_by_role",
             status_of(403, "Forbidden",
                       R"(widgets.example.com is forbidden: User "u" cannot create resource "widgets" in API group )"
                       R"("example.com" in the namespace "team-a")"),
             Errc::forbidden,
             R"(forbidden: widgets.example.com is forbidden: User "u" cannot create resource "widgets" in API group )"
             R"("example.com" in the namespace "team-a"; ask for a Role that allows create on widgets of API )"
             "group example.com in namespace team-a"},
        Case{"forbidden_in_the_cluster",
             status_of(
                 403, "Forbidden",
                 R"(pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope)"),
             Errc::forbidden,
             R"(forbidden: pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster )"
             "scope; ask for a ClusterRole that allows list on pods"},
        Case{
            "forbidden_in_a_group_that_no_terminal_should_see",
            status_of(403, "Forbidden",
                      "u cannot list resource \"widgets\" in API group \"a\x1b[2J\nb\" in the namespace \"n\""),
            Errc::forbidden,
            R"(forbidden: u cannot list resource "widgets" in API group "a\x1b[2J b" in the namespace "n"; ask for a Role )"
            R"(that allows list on widgets of API group a\x1b[2J b in namespace n)"},
        Case{"forbidden_by_quota", status_of(403, "Forbidden", "exceeded quota: q"), Errc::forbidden,
             "forbidden: exceeded quota: q"},
        Case{"object_not_found", status_of(404, "NotFound", R"(widgets.example.com "x" not found)", details_of_x),
             Errc::not_found, R"(not found: widgets.example.com "x" not found)"},
        Case{"type_not_found",
             status_of(404, "NotFound", "the server could not find the requested resource", json::object()),
             Errc::not_installed,
             "no such resource type: the server could not find the requested resource; its CustomResourceDefinition is "
             "not installed, or not served in this version"},
        Case{"bare_404_page",
             {.status = 404, .body = "404 page not found\n", .date = {}},
             Errc::not_installed,
             "no such resource type: HTTP status 404: 404 page not found; its CustomResourceDefinition is not "
             "installed, or not served in this version"},
        Case{"already_exists", status_of(409, "AlreadyExists", "it is there", details_of_x), Errc::already_exists,
             "already exists: it is there"},
        Case{"conflict", status_of(409, "Conflict", "the object has been modified", details_of_x), Errc::conflict,
             "conflict: the object has been modified"},
        Case{"expired", status_of(410, "Expired", "too old"), Errc::expired, "expired: too old"},
        Case{
            "too_large", {.status = 413, .body = "", .date = {}}, Errc::invalid, "refused as invalid: HTTP status 413"},
        Case{"invalid", status_of(422, "Invalid", "spec.size:\n  must be at least 1"), Errc::invalid,
             "refused as invalid: spec.size: must be at least 1"},
        Case{"too_many",
             {.status = 429, .body = "busy", .retry_after_s = 7, .date = {}},
             Errc::too_many_requests,
             "too many requests: HTTP status 429: busy; the server asks to wait 7 s"},
        Case{"server_error", status_of(500, "InternalError", "boom"), Errc::unavailable, "the server failed: boom"},
        Case{"proxy_page",
             {.status = 502, .body = "<html>\n<b>Bad</b>", .date = {}},
             Errc::unavailable,
             "the server failed: HTTP status 502: <html> <b>Bad</b>"},
        Case{"redirect",
             {.status = 302, .body = "", .date = {}},
             Errc::protocol_violation,
             "unexpected answer: HTTP status 302"},
        Case{"success_without_json",
             {.status = 200, .body = "ok", .date = {}},
             Errc::protocol_violation,
             "unexpected answer: HTTP status 200 with a body that is no JSON object: ok"},
        Case{"success_cut_short",
             {.status = 201, .body = R"({"kind":)", .date = {}},
             Errc::protocol_violation,
             R"(unexpected answer: HTTP status 201 with a body that is no JSON object: {"kind":)"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Response, gives_the_body_of_a_success) {
  const auto result = classify({.status = 201, .body = R"({"kind":"Widget"})", .date = {}}, "create");
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ((*result)["kind"], "Widget");
}

TEST(Response, takes_the_longer_of_the_header_and_the_status_to_wait) {
  Response response = status_of(503, "ServiceUnavailable", "m", {{"retryAfterSeconds", 9}});
  response.retry_after_s = 2;
  EXPECT_EQ(classify(response, "get").error().retry_after_s, 9);
  response.retry_after_s = 20;
  EXPECT_EQ(classify(response, "get").error().retry_after_s, 20);
}

TEST(Response, bounds_what_a_server_can_ask_to_wait) {
  const Response response = status_of(503, "ServiceUnavailable", "m", {{"retryAfterSeconds", 4'000'000'000'000}});
  EXPECT_EQ(classify(response, "get").error().retry_after_s, 3600);
}

TEST(Response, survives_a_status_of_wrong_types) {
  for (const char* body :
       {"null", "[]", "{}", R"({"kind":"Status","message":5,"reason":[],"details":"x"})",
        R"({"kind":"Status","details":{"name":7,"retryAfterSeconds":"x"}})", "{\"kind\":\"Status\""}) {
    const auto result = classify({.status = 404, .body = body, .date = {}}, "get");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::not_installed) << body;
  }
}

TEST(Response, prefers_the_code_inside_of_a_status_event) {
  const json status = {{"kind", "Status"}, {"code", 410}, {"message", "too old resource version: 5 (10)"}};
  const Error error = error_of_status(status, 500, {});
  EXPECT_EQ(error.code, Errc::expired);
  EXPECT_EQ(error.detail, "expired: too old resource version: 5 (10)");
  EXPECT_EQ(error_of_status(json::object(), 500, {}).code, Errc::unavailable);
}

}  // namespace
}  // namespace konductor::kube
