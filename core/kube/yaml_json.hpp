#pragma once

#include <optional>
#include <string>

namespace YAML {  // NOLINT(readability-identifier-naming): as yaml-cpp calls it
class Node;
}

namespace konductor::kube {

/// A piece of YAML as JSON text: plain scalars are what YAML 1.1 takes them for, quoted ones text. Nothing where it is
/// nested more than 50 deep, comes to more than 100,000 bytes, or has a mapping with a key that is no scalar.
std::optional<std::string> to_json_text(const YAML::Node& node);

}  // namespace konductor::kube
