#pragma once

#include "kondctl/claim_codec.hpp"
#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace konductor::kondctl {

struct ShownClaim {
  ClaimView view;
  std::shared_ptr<const nlohmann::json> object;
};

/// The claims of one primitive that are not over, in the order in which people ask for them.
struct ShownClaims {
  std::vector<ShownClaim> holding;  // by token: in the order of their grants
  std::vector<ShownClaim> waiting;  // by priority, age, name: the host's order
};

[[nodiscard]] ShownClaims sorted_claims(std::vector<nlohmann::json> objects, const runtime::KindDeclaration& kind,
                                        const std::string& primitive);

[[nodiscard]] std::string holders_of(const ShownClaims& claims, const runtime::KindDeclaration& kind,
                                     kube::WallTime now);
/// With the place of each as it is now: what a claim's own status says of it is as old as that status.
[[nodiscard]] std::string queue_of(const ShownClaims& claims, const runtime::KindDeclaration& kind, kube::WallTime now);

/// Those of a kind whose claims are only counted: all that mean this very primitive, by round and age.
[[nodiscard]] std::vector<ShownClaim> counted_claims(std::vector<nlohmann::json> objects,
                                                     const runtime::KindDeclaration& kind,
                                                     const nlohmann::json& primitive);
[[nodiscard]] std::string table_of(const std::vector<ShownClaim>& counted, const runtime::KindDeclaration& kind,
                                   const nlohmann::json& primitive, kube::WallTime now);

/// The first holders, as the operator wrote them into the primitive's status, for those who may not list claims; empty
/// where it writes none for this kind.
[[nodiscard]] std::string first_holders_of(const nlohmann::json& primitive, const runtime::KindDeclaration& kind,
                                           kube::WallTime now);

}  // namespace konductor::kondctl
