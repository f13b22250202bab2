#include "runtime/claim_view.hpp"

#include <algorithm>
#include <utility>

namespace konductor::runtime {

ClaimView::Change ClaimView::begin() {
  listed_.clear();
  listing_ = true;
  return {};
}

ClaimView::Change ClaimView::apply(Claim claim) {
  if (listing_) {
    listed_.insert(claim.key);
  } else {
    rv_ = std::max(rv_, claim.rv);
  }
  if (buried_.contains(claim.uid)) return {};
  return put(std::move(claim));
}

ClaimView::Change ClaimView::remove(const Claim& claim) {
  rv_ = std::max(rv_, claim.rv);
  Change change;
  // Who waits for the view to show that it is gone looks again now.
  if (buried_.erase(claim.uid) > 0) change.primitives.push_back(claim.primitive);
  const auto* known = find(claim.key);
  if (known != nullptr && known->uid == claim.uid) take_out(claim.key, change);
  return change;
}

ClaimView::Change ClaimView::synced(std::uint64_t rv) {
  Change change;
  std::vector<std::string> gone;
  for (const auto& [key, claim] : claims_)
    if (!listed_.contains(key) && claim->rv <= rv) gone.push_back(key);
  for (const auto& key : gone) take_out(key, change);
  listed_.clear();
  buried_.clear();
  listing_ = false;
  synced_ = true;
  rv_ = std::max(rv_, rv);
  return change;
}

void ClaimView::progress(std::uint64_t rv) noexcept {
  if (!listing_) rv_ = std::max(rv_, rv);
}

ClaimView::Change ClaimView::lay_over(Claim claim) {
  if (buried_.contains(claim.uid)) return {};
  // The answer came later than the watch, which has told the end of this claim already.
  const auto* known = find(claim.key);
  if (claim.rv <= rv_ && (known == nullptr || known->uid != claim.uid)) return {};
  return put(std::move(claim));
}

ClaimView::Change ClaimView::bury(const std::string& key, const std::string& uid) {
  Change change;
  const auto* known = find(key);
  if (known == nullptr || known->uid != uid) return change;
  buried_.insert(uid);
  take_out(key, change);
  return change;
}

const Claim* ClaimView::find(const std::string& key) const {
  const auto found = claims_.find(key);
  return found == claims_.end() ? nullptr : found->second.get();
}

const ClaimView::Ordered& ClaimView::of(const kube::NamespacedName& primitive) const {
  static const Ordered none;
  const auto found = by_primitive_.find(primitive);
  return found == by_primitive_.end() ? none : found->second;
}

std::vector<const Claim*> ClaimView::of_pod(const std::string& pod_uid) const {
  std::vector<const Claim*> claims;
  const auto [first, last] = by_pod_.equal_range(pod_uid);
  for (auto at = first; at != last; ++at) claims.push_back(at->second);
  return claims;
}

ClaimView::Change ClaimView::put(Claim claim) {
  Change change;
  if (const auto* known = find(claim.key)) {
    if (known->rv >= claim.rv) return change;
    take_out(claim.key, change);
    if (!change.gone.empty() && change.gone.back() == claim.uid) change.gone.clear();
  }
  if (change.primitives.empty() || change.primitives.back() != claim.primitive)
    change.primitives.push_back(claim.primitive);
  auto owned = std::make_unique<Claim>(std::move(claim));
  index(*owned);
  change.applied = owned.get();
  claims_[owned->key] = std::move(owned);
  return change;
}

void ClaimView::take_out(const std::string& key, Change& change) {
  const auto found = claims_.find(key);
  if (found == claims_.end()) return;
  const Claim& claim = *found->second;
  change.gone.push_back(claim.uid);
  change.primitives.push_back(claim.primitive);
  const auto group = by_primitive_.find(claim.primitive);
  group->second.erase(&claim);
  if (group->second.empty()) by_primitive_.erase(group);
  const auto [first, last] = by_pod_.equal_range(claim.pod_uid);
  for (auto at = first; at != last; ++at) {
    if (at->second != &claim) continue;
    by_pod_.erase(at);
    break;
  }
  claims_.erase(found);
}

void ClaimView::index(const Claim& claim) {
  by_primitive_[claim.primitive].insert(&claim);
  if (!claim.pod_uid.empty()) by_pod_.emplace(claim.pod_uid, &claim);
}

}  // namespace konductor::runtime
