#include "kube/jwt.hpp"

#include "kube/base64.hpp"
#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {
namespace {

constexpr std::int64_t last_second = 253'402'300'799;  // of the year 9999

/// The text between the first and the second of exactly two points.
std::string_view payload_of(std::string_view jwt) {
  const std::size_t first = jwt.find('.');
  if (first == std::string_view::npos) return {};
  const std::size_t second = jwt.find('.', first + 1);
  if (second == std::string_view::npos || jwt.find('.', second + 1) != std::string_view::npos) return {};
  return jwt.substr(first + 1, second - first - 1);
}

}  // namespace

std::optional<BoundToken> bound_token_claims(std::string_view jwt) {
  const std::optional<std::string> payload = decode_base64url(payload_of(jwt));
  if (!payload) return std::nullopt;
  const nlohmann::json claims = nlohmann::json::parse(*payload, nullptr, false);
  const nlohmann::json* bound = member(claims, "kubernetes.io");
  if (bound == nullptr) return std::nullopt;

  BoundToken token;
  token.ns = text_at(*bound, "namespace");
  if (token.ns.empty()) return std::nullopt;
  token.service_account = text_at(*bound, "serviceaccount.name");
  token.pod_name = text_at(*bound, "pod.name");
  token.pod_uid = text_at(*bound, "pod.uid");
  const std::optional<std::int64_t> expiry = integer_at(claims, "exp");
  if (expiry && *expiry >= 0 && *expiry <= last_second) token.expiry = WallTime{std::chrono::seconds{*expiry}};
  return token;
}

}  // namespace konductor::kube
