#include "runtime/json_path.hpp"

#include <nlohmann/json.hpp>

namespace konductor::runtime {

using nlohmann::json;

const json* find_path(const json& object, std::string_view path) noexcept {
  const json* at = &object;
  while (!path.empty()) {
    const auto dot = path.find('.');
    const auto step = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    if (!at->is_object()) return nullptr;
    const auto found = at->find(step);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

std::string text_at(const json& object, std::string_view path) {
  const json* found = find_path(object, path);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string{};
}

std::optional<std::int64_t> integer_at(const json& object, std::string_view path) noexcept {
  const json* found = find_path(object, path);
  if (found == nullptr || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::optional<bool> boolean_at(const json& object, std::string_view path) noexcept {
  const json* found = find_path(object, path);
  if (found == nullptr || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

}  // namespace konductor::runtime
