#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace konductor::kube {

/// A served resource type: group "" is the core group.
struct Resource {
  std::string group;
  std::string version;
  std::string plural;
  auto operator<=>(const Resource&) const = default;
};

struct NamespacedName {
  std::string ns;  // empty for cluster-scoped objects
  std::string name;
  auto operator<=>(const NamespacedName&) const = default;
};

/// "ns/name", or "name" where there is no namespace. For people and for map keys.
std::string to_string(const NamespacedName& name);

/// "/apis/GROUP/VERSION/namespaces/NS/PLURAL[/NAME[/SUBRESOURCE]]"; without ns: all namespaces, or cluster-scoped.
std::string path_of(const Resource& resource, std::string_view ns, std::string_view name = {},
                    std::string_view subresource = {});

/// "deployments.apps", as `kubectl` and RBAC messages name it; "pods" for the core group.
std::string to_string(const Resource& resource);

/// RFC 1123 label: what names of objects and namespaces here must be. Gives the reason why not, or empty.
std::string why_not_dns_label(std::string_view name);

/// RFC 1123 subdomain: what names of Pods, Jobs and most other objects are. In a path anything else may be more than
/// one segment to the server, also percent-encoded.
[[nodiscard]] bool is_dns_subdomain(std::string_view name) noexcept;

}  // namespace konductor::kube
