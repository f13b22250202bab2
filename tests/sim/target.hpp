#pragma once

#include "kube/resource.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::sim {

/// The target of a request as the API server reads it.
struct Target {
  kube::Resource resource;
  kube::NamespacedName object;  // without a name: the collection
  std::string subresource;
  std::map<std::string, std::string> query;

  [[nodiscard]] std::string parameter(const std::string& key) const;
  [[nodiscard]] bool is_watch() const;
};

/// Nothing where the path is none of a resource.
std::optional<Target> parse_target(std::string_view text);

}  // namespace konductor::sim
