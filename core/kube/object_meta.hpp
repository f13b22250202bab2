#pragma once

#include "base/error.hpp"
#include "kube/resource.hpp"
#include "kube/time.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace konductor::kube {

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool operator==(const OwnerReference&) const = default;
};

/// The part of an object's metadata that Konductor reads.
struct ObjectMeta {
  std::string name;
  std::string ns;  // empty: cluster-scoped
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  WallTime creation{};    // whole seconds; the epoch where the object does not say
  bool deleting = false;  // has a deletionTimestamp
  std::map<std::string, std::string, std::less<>> labels;
  std::vector<OwnerReference> owner_references;

  [[nodiscard]] NamespacedName key() const { return {ns, name}; }
};

/// Reads `metadata` of a whole object. A missing name or a field of the wrong type is Errc::protocol_violation and
/// names the field; fields that are absent or null stay at their defaults.
Result<ObjectMeta> parse_meta(const nlohmann::json& object);

}  // namespace konductor::kube
