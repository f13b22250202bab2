#pragma once

#include "runtime/kind.hpp"

#include <span>
#include <string>

namespace konductor::host {

/// Why a kind cannot be served: the member and what is wrong with it, as "claim_fields[1].path: ..."; empty: nothing.
/// Checks names, schemas, paths, rules, columns and commands, and that nothing collides with the host's own.
std::string why_not_valid(const runtime::KindDeclaration& kind);

/// The first name that two resources of our API group would share (the API server then serves only one of them), as a
/// sentence; empty: none.
std::string why_names_collide(std::span<const runtime::KindDeclaration> kinds, const runtime::KindDeclaration& added);

}  // namespace konductor::host
