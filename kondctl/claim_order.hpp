#pragma once

#include "kondctl/claim_tables.hpp"
#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace konductor::kondctl {

/// Puts those who wait into the order in which the kind itself would serve them now: its plugin, the same that the
/// operator loads, is asked. Those of whom it says nothing, and all where it cannot decide, stay in the host's order:
/// priority, age, name.
void order_as_decided(ShownClaims& claims, const runtime::KindDeclaration& kind, const nlohmann::json& primitive,
                      kube::WallTime now);

/// "3 of 12 in line" for the claim with this UID, from the answer to a list of claims; empty where it does not wait.
[[nodiscard]] std::string place_in_line(const nlohmann::json& list, const runtime::KindDeclaration& kind,
                                        const nlohmann::json& primitive, const std::string& uid, kube::WallTime now);

}  // namespace konductor::kondctl
