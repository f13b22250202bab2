#include "kondctl/claim_order.hpp"

#include "runtime/claim_view.hpp"
#include "runtime/decision.hpp"
#include "runtime/primitive.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>

namespace konductor::kondctl {
namespace {

using Places = std::map<std::string, std::size_t>;

/// By the claims' keys, in the order in which the decision speaks of them; empty where there is none.
Places decided_places(const runtime::ClaimView::Ordered& claims, const runtime::KindDeclaration& kind,
                      const runtime::Primitive& primitive, kube::WallTime now) {
  const runtime::Ledger none;
  constexpr auto all = std::numeric_limits<std::uint32_t>::max();
  const auto decision = runtime::decide({.kind = kind,
                                         .primitive = primitive,
                                         .claims = claims,
                                         .ledger = primitive.ledger ? *primitive.ledger : none,
                                         .max_grants = all,
                                         .max_claims = all,
                                         .now = runtime::plan_time(primitive, now),
                                         .observed = {},
                                         .may_be_served = [](const runtime::KnownClaim&) { return true; },
                                         .deadline = [](const runtime::KnownClaim&) { return std::int64_t{0}; }});
  Places places;
  if (!decision) return places;
  for (const runtime::Verdict& verdict : decision->plan.verdicts) {
    const runtime::KnownClaim* known = decision->claims[verdict.claim];
    if (known != nullptr) places.emplace(known->claim.key, places.size());
  }
  return places;
}

}  // namespace

void order_as_decided(ShownClaims& claims, const runtime::KindDeclaration& kind, const nlohmann::json& primitive,
                      kube::WallTime now) {
  if (kind.mode != runtime::Mode::granted || !kind.decide || claims.waiting.empty()) return;
  const auto parsed = runtime::parse_primitive(std::make_shared<const nlohmann::json>(primitive));
  if (!parsed) return;
  runtime::ClaimView view;
  for (const auto* group : {&claims.holding, &claims.waiting})
    for (const ShownClaim& shown : *group) view.apply(shown.view.claim);

  const Places places = decided_places(view.of(parsed->name), kind, *parsed, now);
  const auto place = [&places](const ShownClaim& shown) {
    const auto found = places.find(shown.view.claim.key);
    return found == places.end() ? std::numeric_limits<std::size_t>::max() : found->second;
  };
  std::stable_sort(claims.waiting.begin(), claims.waiting.end(),
                   [&place](const ShownClaim& left, const ShownClaim& right) { return place(left) < place(right); });
}

}  // namespace konductor::kondctl
