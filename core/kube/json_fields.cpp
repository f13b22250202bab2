#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

namespace {

using nlohmann::json;

const json* find_member(const json& object, std::string_view key) noexcept {
  const auto* members = object.get_ptr<const json::object_t*>();
  if (members == nullptr) return nullptr;
  const auto found = members->find(key);
  return found == members->end() ? nullptr : &found->second;
}

}  // namespace

const json* member(const json& object, std::string_view key) noexcept {
  const json* value = find_member(object, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json* find_path(const json& object, std::string_view path) noexcept {
  const json* at = &object;
  while (at != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    at = find_member(*at, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return at;
}

const std::string& text_at(const json& object, std::string_view path) noexcept {
  static const std::string none;
  const json* value = find_path(object, path);
  const auto* text = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  return text == nullptr ? none : *text;
}

std::optional<std::int64_t> integer_at(const json& object, std::string_view path) noexcept {
  const json* value = find_path(object, path);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  if (value->is_number_unsigned() &&
      *value->get_ptr<const std::uint64_t*>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::optional<bool> boolean_at(const json& object, std::string_view path) noexcept {
  const json* value = find_path(object, path);
  const auto* truth = value == nullptr ? nullptr : value->get_ptr<const bool*>();
  return truth == nullptr ? std::nullopt : std::optional<bool>(*truth);
}

const nlohmann::json* find_condition(const nlohmann::json& conditions, std::string_view type) noexcept {
  const auto* list = conditions.get_ptr<const nlohmann::json::array_t*>();
  if (list == nullptr) return nullptr;
  for (const auto& condition : *list)
    if (text_at(condition, "type") == type) return &condition;
  return nullptr;
}

const nlohmann::json* condition_of(const nlohmann::json& object, std::string_view type) noexcept {
  const auto* conditions = find_path(object, "status.conditions");
  return conditions == nullptr ? nullptr : find_condition(*conditions, type);
}

}  // namespace konductor::kube
