#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace konductor::host {

/// The CustomResourceDefinitions of a kind, composed from what its plugin declares and what the host owns: ledger,
/// conditions, the common fields of claims, immutability and finality. `kind` must have passed why_not_valid().
nlohmann::json primitive_crd(const runtime::KindDeclaration& kind);
/// Only of kinds that have claims.
nlohmann::json claim_crd(const runtime::KindDeclaration& kind);

/// "widgets.sync.konductor.io"
std::string crd_name(const runtime::Names& names);

/// Why the CRD that a server serves would lose what we must store: a structural schema prunes what it does not know,
/// and without the ledger that over-grants. Empty: it keeps everything. `place` says which of the kind's two it is.
std::string why_not_served(const nlohmann::json& served, const runtime::KindDeclaration& kind, runtime::Place place);

}  // namespace konductor::host
