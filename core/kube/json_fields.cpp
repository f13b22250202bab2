#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::kube {

const nlohmann::json* member(const nlohmann::json& object, std::string_view key) noexcept {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string_view text_at(const nlohmann::json& object, std::string_view key) noexcept {
  const nlohmann::json* value = member(object, key);
  const auto* text = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  return text == nullptr ? std::string_view{} : std::string_view{*text};
}

std::optional<std::int64_t> integer_at(const nlohmann::json& object, std::string_view key) noexcept {
  const nlohmann::json* value = member(object, key);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  if (value->is_number_unsigned() &&
      *value->get_ptr<const std::uint64_t*>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

}  // namespace konductor::kube
