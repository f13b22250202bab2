#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

/// The fields that the host owns in the two resources of every kind, as OpenAPI properties. A plugin's fields are added
/// beside them and must not collide.
namespace konductor::host {

/// CEL rules at the root.
nlohmann::json primitive_rules(const runtime::KindDeclaration& kind);
nlohmann::json primitive_spec_properties(runtime::Mode mode);
nlohmann::json primitive_status_properties(const runtime::KindDeclaration& kind);
nlohmann::json claim_spec_properties(const runtime::KindDeclaration& kind);
nlohmann::json claim_status_properties(const runtime::KindDeclaration& kind);

}  // namespace konductor::host
