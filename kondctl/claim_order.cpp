#include "kondctl/claim_order.hpp"

#include "kube/json_fields.hpp"
#include "runtime/claim_view.hpp"
#include "runtime/decision.hpp"
#include "runtime/primitive.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

std::string place_in_line(const nlohmann::json& list, const runtime::KindDeclaration& kind,
                          const nlohmann::json& primitive, const std::string& uid, kube::WallTime now) {
  const auto* items = kube::find_path(list, "items");
  if (items == nullptr || !items->is_array()) return {};
  ShownClaims claims = sorted_claims({items->begin(), items->end()}, kind, kube::text_at(primitive, "metadata.name"));
  order_as_decided(claims, kind, primitive, now);
  const auto ours =
      std::ranges::find_if(claims.waiting, [&uid](const ShownClaim& shown) { return shown.view.claim.uid == uid; });
  if (ours == claims.waiting.end()) return {};
  const auto place = std::distance(claims.waiting.begin(), ours) + 1;
  return std::to_string(place) + " of " + std::to_string(claims.waiting.size()) + " in line";
}

}  // namespace konductor::kondctl
