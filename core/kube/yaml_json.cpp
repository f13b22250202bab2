#include "kube/yaml_json.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstdint>
#include <string>

namespace konductor::kube {
namespace {

constexpr int deepest = 50;  // an alias can make YAML endless

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

bool convert(const YAML::Node& node, int depth, nlohmann::json& out) {
  if (depth > deepest) return false;
  if (node.IsScalar()) {
    out = scalar(node);
  } else if (node.IsSequence()) {
    out = nlohmann::json::array();
    for (const YAML::Node& element : node) {
      if (!convert(element, depth + 1, out.emplace_back())) return false;
    }
  } else if (node.IsMap()) {
    out = nlohmann::json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !convert(entry.second, depth + 1, out[entry.first.Scalar()])) return false;
    }
  }
  return true;  // anything else is null
}

}  // namespace

std::optional<std::string> to_json_text(const YAML::Node& node) {
  nlohmann::json value;
  if (!convert(node, 0, value)) return std::nullopt;
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace konductor::kube
