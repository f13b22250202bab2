#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <vector>

namespace konductor::host {

/// ClusterRole konductor-operator: exactly what the operator does with these kinds.
nlohmann::json operator_role(std::span<const runtime::KindDeclaration> kinds);

/// ClusterRole konductor-user: what a workload needs; bind it in the workload's namespace.
nlohmann::json user_role(std::span<const runtime::KindDeclaration> kinds);

/// Additions to the built-in roles view and edit, by their aggregation labels: edit may also change primitives.
std::vector<nlohmann::json> aggregated_roles(std::span<const runtime::KindDeclaration> kinds);

}  // namespace konductor::host
