#pragma once

#include "runtime/kind.hpp"

#include <string>

namespace konductor::host {

/// Checks the four schema fragments of a kind: JSON, only `properties` and `required`, every property typed and
/// described throughout, none that is the host's own; and that what other declarations name (claim fields, the scale,
/// the participant, the wait) exists in the composed schema.
std::string why_not_valid_schemas(const runtime::KindDeclaration& kind);

}  // namespace konductor::host
