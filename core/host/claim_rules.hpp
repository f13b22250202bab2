#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

namespace konductor::host {

/// The CEL rules that the host lays on every claim: what was asked for cannot change, what was granted cannot change,
/// and what is over stays over. At the root of the schema, because a rule on `status` is slipped past by `status:
/// null`.
nlohmann::json claim_rules(const runtime::KindDeclaration& kind);

}  // namespace konductor::host
