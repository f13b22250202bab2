#include "kube/yaml_json.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace konductor::kube {
namespace {

constexpr int deepest = 50;  // an alias can make YAML endless
/// Values and the bytes of their texts: a few aliases of aliases can stand for more than any memory has.
constexpr std::size_t most = 100'000;

nlohmann::json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  std::int64_t whole = 0;
  if (YAML::convert<std::int64_t>::decode(node, whole)) return whole;
  double number = 0;
  if (YAML::convert<double>::decode(node, number) && std::isfinite(number)) return number;
  bool flag = false;
  if (YAML::convert<bool>::decode(node, flag)) return flag;
  return text;
}

/// Takes `cost` off what is left; false where that is not enough.
bool afford(std::size_t cost, std::size_t& left) noexcept {
  if (cost > left) return false;
  left -= cost;
  return true;
}

bool convert(const YAML::Node& node, int depth, std::size_t& left, nlohmann::json& out) {
  if (depth > deepest || !afford(1, left)) return false;
  if (node.IsScalar()) {
    if (!afford(node.Scalar().size(), left)) return false;
    out = scalar(node);
  } else if (node.IsSequence()) {
    out = nlohmann::json::array();
    for (const YAML::Node& element : node) {
      if (!convert(element, depth + 1, left, out.emplace_back())) return false;
    }
  } else if (node.IsMap()) {
    out = nlohmann::json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !afford(entry.first.Scalar().size(), left)) return false;
      if (!convert(entry.second, depth + 1, left, out[entry.first.Scalar()])) return false;
    }
  }
  return true;  // anything else is null
}

}  // namespace

std::optional<std::string> to_json_text(const YAML::Node& node) {
  nlohmann::json value;
  std::size_t left = most;
  if (!convert(node, 0, left, value)) return std::nullopt;
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace konductor::kube
