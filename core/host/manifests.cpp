#include "host/manifests.hpp"

#include "host/crd.hpp"
#include "host/rbac.hpp"
#include "host/yaml_printer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace konductor::host {

std::string manifests(std::span<const runtime::KindDeclaration> given) {
  std::vector<runtime::KindDeclaration> kinds(given.begin(), given.end());
  std::ranges::sort(kinds, {}, [](const auto& kind) { return kind.names.kind; });

  std::vector<nlohmann::json> documents;
  for (const auto& kind : kinds) {
    documents.push_back(primitive_crd(kind));
    if (kind.mode != runtime::Mode::observed) documents.push_back(claim_crd(kind));
  }
  // Roles about nothing are not valid.
  if (!kinds.empty()) {
    documents.push_back(operator_role(kinds));
    documents.push_back(user_role(kinds));
    for (auto& role : aggregated_roles(kinds)) documents.push_back(std::move(role));
  }
  std::string out;
  for (const auto& document : documents) out += "---\n" + to_yaml(document);
  return out;
}

}  // namespace konductor::host
