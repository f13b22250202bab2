#pragma once

#include "kondctl/claim_tables.hpp"
#include "kondctl/options.hpp"
#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

/// One object and its claims, as `status KIND NAME` shows them.
namespace konductor::kondctl {

/// The claims of the shown object; nothing where they are not known.
struct ObjectClaims {
  std::optional<ShownClaims> granted;
  std::optional<std::vector<ShownClaim>> counted;
};

[[nodiscard]] ObjectClaims claims_of(std::vector<nlohmann::json> claims, const runtime::KindDeclaration& kind,
                                     const nlohmann::json& object, kube::WallTime now);
/// Why claims are not shown to whom may look at primitives and at its own claim, and not at those of others.
[[nodiscard]] std::string hidden(const runtime::KindDeclaration& kind, const Error& error);
/// Of every format but `name`.
[[nodiscard]] std::string shown(const nlohmann::json& object, const ObjectClaims& claims,
                                const runtime::KindDeclaration& kind, const GlobalOptions& options, kube::WallTime now);

}  // namespace konductor::kondctl
