#pragma once

#include "base/error.hpp"
#include "runtime/claim_view.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"
#include "runtime/ledger.hpp"
#include "runtime/plan.hpp"
#include "runtime/primitive.hpp"

#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace konductor::runtime {

/// What one call of a plugin's decide is made from.
struct DecisionInput {
  const KindDeclaration& kind;
  const Primitive& primitive;
  const ClaimView::Ordered& claims;
  const Ledger& ledger;  // settled: its pending grants hold, whatever their claims show
  std::uint32_t max_grants = 0;
  std::uint32_t max_claims = 0;  // waiting ones beyond it are left out; likewise of ended and discarded ones
  WallTime now;
  std::span<const ObservedObject> observed;
  std::function<bool(const KnownClaim&)> may_be_served;     // of a waiting claim: not ending, marked
  std::function<std::int64_t(const KnownClaim&)> deadline;  // microseconds of the server's clock; 0: none
};

/// A decision, with the claims that its verdicts' indexes mean.
struct Decision {
  Plan plan;
  WallTime now;                     // that it was made for
  std::vector<KnownClaim*> claims;  // null: a pending grant whose claim the view does not show
  /// Those that the plugin saw waiting and did not grant, each with what it said of it (null: nothing). Verdicts point
  /// into `plan`.
  std::vector<std::pair<KnownClaim*, const Verdict*>> unserved;
  std::size_t left_out = 0;  // waiting claims over max_claims
  std::size_t grants = 0;
  bool complete = false;  // the bound on grants was not reached: who was not granted can't be now
  std::size_t holding = 0;
  std::size_t waiting = 0;
};

[[nodiscard]] bool is_grant(const Verdict& verdict) noexcept;

Result<Decision> decide(const DecisionInput& input);

}  // namespace konductor::runtime
