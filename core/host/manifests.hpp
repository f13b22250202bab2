#pragma once

#include "runtime/kind.hpp"

#include <span>
#include <string>

namespace konductor::host {

/// What `konductor manifests` prints for `kubectl apply -f -`: the CRDs and roles of exactly these kinds, as YAML
/// documents in a fixed order: kinds sorted by name, each primitive before its claim, then the roles.
std::string manifests(std::span<const runtime::KindDeclaration> kinds);

}  // namespace konductor::host
