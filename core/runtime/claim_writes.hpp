#pragma once

#include "kube/request.hpp"
#include "runtime/claim.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"
#include "runtime/ledger.hpp"
#include "runtime/participant.hpp"
#include "runtime/upkeep.hpp"

#include <string>

/// The operator's writes on claims. Each carries the resourceVersion and the UID that the decision was made on.
namespace konductor::runtime {

/// Grant made visible: phase, token, units, effective TTL.
kube::Request tell(const KindDeclaration& kind, const Claim& claim, const PendingGrant& grant, Duration ttl,
                   const std::string& primitive_uid, WallTime server_now);

/// Still waiting: phase Pending, why, and the mark of the primitive's UID (empty: the mark stays as it is).
kube::Request acknowledge(const KindDeclaration& kind, const Claim& claim, const std::string& reason,
                          const std::string& message, const std::string& primitive_uid, WallTime server_now);

/// A terminal phase.
/// What a holder is told when it has to stop.
struct Revocation {
  std::string reason;
  std::string message;
  Duration grace{};  // from when it is written; then its place is given away
};

/// Revoking: it still holds.
kube::Request revoke(const KindDeclaration& kind, const Claim& claim, const Revocation& revocation,
                     WallTime server_now);

kube::Request end_claim(const KindDeclaration& kind, const Claim& claim, const Ending& ending, WallTime server_now);

/// Who it stands for, for good; with a doubt where a retry would not be the same.
kube::Request settle(const KindDeclaration& kind, const Claim& claim, const Participant& who, WallTime server_now);

/// It is not counted, because who it stands for cannot be found out for now.
kube::Request doubt(const KindDeclaration& kind, const Claim& claim, const std::string& reason,
                    const std::string& message, WallTime server_now);

/// Deletes exactly this state of this claim.
kube::Request remove_claim(const KindDeclaration& kind, const Claim& claim);

}  // namespace konductor::runtime
