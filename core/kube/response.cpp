#include "kube/response.hpp"

#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace konductor::kube {
namespace {

constexpr std::int64_t max_retry_after_s = 3600;
constexpr std::string_view role_question = "; ask for a ";

std::string_view phrase_of(Errc code) noexcept {
  switch (code) {
    case Errc::not_found: return "not found";
    case Errc::conflict: return "conflict";
    case Errc::already_exists: return "already exists";
    case Errc::expired: return "expired";
    case Errc::unauthorized: return "unauthorized";
    case Errc::forbidden: return "forbidden";
    case Errc::too_many_requests: return "too many requests";
    case Errc::invalid: return "refused as invalid";
    case Errc::unavailable: return "the server failed";
    case Errc::not_installed: return "no such resource type";
    default: return "unexpected answer";
  }
}

/// What stands between `before` and `after`, fit to be shown; empty where they are not there.
std::string between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t start = text.find(before);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + before.size());
  const std::size_t end = text.find(after);
  return end == std::string_view::npos ? std::string{} : one_line(text.substr(0, end), 253);
}

/// From RBAC's own sentence: User "u" cannot VERB resource "R" in API group "G" in the namespace "N". Other refusals
/// (admission, quota) are no matter of roles and get no such advice.
std::string role_advice(std::string_view message) {
  const std::string verb = between(message, " cannot ", " ");
  const std::string plural = between(message, " resource \"", "\"");
  if (verb.empty() || plural.empty()) return {};
  const std::string group = between(message, " in API group \"", "\"");
  const std::string ns = between(message, " in the namespace \"", "\"");
  std::string advice(role_question);
  advice.append(ns.empty() ? "ClusterRole" : "Role").append(" that allows ");
  advice.append(verb).append(" on ").append(plural);
  if (!group.empty()) advice.append(" of API group ").append(group);
  if (!ns.empty()) advice.append(" in namespace ").append(ns);
  return advice;
}

std::string advice_for(const Error& error, std::string_view words) {
  switch (error.code) {
    case Errc::unauthorized: return "; the credentials are missing, wrong or expired: log in again or get a new token";
    case Errc::forbidden: return role_advice(words);
    case Errc::not_installed: return "; its CustomResourceDefinition is not installed, or not served in this version";
    default: break;
  }
  if (error.retry_after_s > 0) return "; the server asks to wait " + std::to_string(error.retry_after_s) + " s";
  return {};
}

Error make_error(Errc code, std::string_view doing, std::string_view words, int retry_after_s) {
  Error error{code, {}, retry_after_s};
  if (!doing.empty()) error.detail.append(doing).append(": ");
  error.detail.append(phrase_of(code)).append(": ").append(one_line(words)).append(advice_for(error, words));
  return error;
}

int clamp_retry_after(std::int64_t seconds) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>(seconds, 0, max_retry_after_s));
}

Error error_of(const nlohmann::json& status, int http_status, int retry_after_s, std::string_view doing) {
  Errc code = errc_of(http_status, text_at(status, "reason"));
  // A 404 that names no object is about the path itself.
  if (code == Errc::not_found && text_at(status, "details.name").empty()) code = Errc::not_installed;
  const std::int64_t asked = integer_at(status, "details.retryAfterSeconds").value_or(0);
  retry_after_s = std::max(retry_after_s, clamp_retry_after(asked));
  const std::string& message = text_at(status, "message");
  return make_error(code, doing, message.empty() ? "HTTP status " + std::to_string(http_status) : message,
                    retry_after_s);
}

/// An answer without a metav1.Status: from a proxy, or a bare page of the server.
Error error_of_page(const Response& response, std::string_view doing) {
  Errc code = errc_of(response.status, {});
  if (code == Errc::not_found) code = Errc::not_installed;
  std::string words = "HTTP status " + std::to_string(response.status);
  const std::string page = one_line(response.body, 200);
  if (!page.empty()) words += ": " + page;
  return make_error(code, doing, words, clamp_retry_after(response.retry_after_s));
}

}  // namespace

bool is_missing_right(const Error& error) {
  return error.code == Errc::forbidden && error.detail.find(role_question) != std::string::npos;
}

Errc errc_of(int http_status, std::string_view reason) noexcept {
  switch (http_status) {
    case 401: return Errc::unauthorized;
    case 403: return Errc::forbidden;
    case 404: return Errc::not_found;
    case 409: return reason == "AlreadyExists" ? Errc::already_exists : Errc::conflict;
    case 410: return Errc::expired;
    case 408: return Errc::unavailable;
    case 429: return Errc::too_many_requests;
    default: break;
  }
  if (http_status >= 500 && http_status <= 599) return Errc::unavailable;
  if (http_status >= 400 && http_status <= 499) return Errc::invalid;
  return Errc::protocol_violation;
}

Result<nlohmann::json> classify(const Response& response, std::string_view doing) {
  nlohmann::json body = nlohmann::json::parse(response.body, nullptr, false);
  if (response.status >= 200 && response.status <= 299) {
    if (body.is_object()) return {boost::system::in_place_value, std::move(body)};
    return make_error(Errc::protocol_violation, doing,
                      "HTTP status " + std::to_string(response.status) +
                          " with a body that is no JSON object: " + one_line(response.body, 120),
                      0);
  }
  if (text_at(body, "kind") != "Status") return error_of_page(response, doing);
  return error_of(body, response.status, clamp_retry_after(response.retry_after_s), doing);
}

Error error_of_status(const nlohmann::json& status, int http_status, std::string_view doing) {
  const std::int64_t code = integer_at(status, "code").value_or(0);
  return error_of(status, code >= 100 && code <= 599 ? static_cast<int>(code) : http_status, 0, doing);
}

}  // namespace konductor::kube
