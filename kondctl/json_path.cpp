#include "kondctl/json_path.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstddef>
#include <string>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

// Takes the next member name or index off the front of `path`.
std::string next_segment(std::string_view& path, bool& is_index) {
  is_index = false;
  if (!path.empty() && path.front() == '.') path.remove_prefix(1);
  if (!path.empty() && path.front() == '[') {
    const std::size_t end = path.find(']');
    std::string text(path.substr(1, end == std::string_view::npos ? end : end - 1));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    is_index = true;
    return text;
  }
  std::string text;
  while (!path.empty() && path.front() != '.' && path.front() != '[') {
    if (path.front() == '\\' && path.size() > 1) path.remove_prefix(1);
    text += path.front();
    path.remove_prefix(1);
  }
  return text;
}

const json* element(const json& array, const std::string& text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size()) return nullptr;
  if (!array.is_array() || index >= array.size()) return nullptr;
  return &array[index];
}

const json* member(const json& object, const std::string& name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

const json* find_column(const json& object, std::string_view json_path) {
  const json* at = &object;
  while (at != nullptr && !json_path.empty()) {
    bool is_index = false;
    const std::string segment = next_segment(json_path, is_index);
    at = is_index ? element(*at, segment) : member(*at, segment);
  }
  return at;
}

void set_path(json& object, std::string_view path, const json& value) {
  json* at = &object;
  while (!path.empty()) {
    bool is_index = false;
    const std::string segment = next_segment(path, is_index);
    if (!at->is_object()) *at = json::object();
    at = &(*at)[segment];
  }
  *at = value;
}

}  // namespace konductor::kondctl
