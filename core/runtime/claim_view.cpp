#include "runtime/claim_view.hpp"

#include <algorithm>
#include <utility>

namespace konductor::runtime {
namespace {

bool comes_before(const KnownClaim* left, const KnownClaim* right) noexcept {
  if (served_before(left->claim, right->claim)) return true;
  if (served_before(right->claim, left->claim)) return false;
  return left->claim.uid < right->claim.uid;
}

}  // namespace

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
  for (const auto& [key, known] : claims_)
    if (!listed_.contains(key) && known.claim.rv <= rv) gone.push_back(key);
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
  return found == claims_.end() ? nullptr : &found->second.claim;
}

KnownClaim* ClaimView::known(const std::string& key, const std::string& uid) {
  return const_cast<KnownClaim*>(std::as_const(*this).known(key, uid));
}

const ClaimView::Ordered& ClaimView::of(const kube::NamespacedName& primitive) const {
  static const Ordered none;
  const auto found = by_primitive_.find(primitive);
  return found == by_primitive_.end() ? none : found->second;
}

const KnownClaim* ClaimView::known(const std::string& key, const std::string& uid) const {
  const auto found = claims_.find(key);
  return found == claims_.end() || (!uid.empty() && found->second.claim.uid != uid) ? nullptr : &found->second;
}

std::vector<KnownClaim*> ClaimView::of_pod(const std::string& pod_uid) const {
  std::vector<KnownClaim*> claims;
  const auto [first, last] = by_pod_.equal_range(pod_uid);
  for (auto at = first; at != last; ++at) claims.push_back(at->second);
  return claims;
}

ClaimView::Change ClaimView::put(Claim claim) {
  Change change;
  const auto [at, is_new] = claims_.try_emplace(claim.key);
  KnownClaim& known = at->second;
  if (!is_new) {
    if (known.claim.rv >= claim.rv) return change;
    unindex(known);
    change.primitives.push_back(known.claim.primitive);
    if (known.claim.uid != claim.uid) {
      change.gone.push_back(known.claim.uid);
      known.notes = {};
    }
  }
  known.claim = std::move(claim);
  if (change.primitives.empty() || change.primitives.back() != known.claim.primitive)
    change.primitives.push_back(known.claim.primitive);
  index(known);
  change.applied = &known;
  return change;
}

void ClaimView::take_out(const std::string& key, Change& change) {
  const auto found = claims_.find(key);
  if (found == claims_.end()) return;
  change.gone.push_back(found->second.claim.uid);
  change.primitives.push_back(found->second.claim.primitive);
  unindex(found->second);
  claims_.erase(found);
}

void ClaimView::index(KnownClaim& known) {
  auto& group = by_primitive_[known.claim.primitive];
  group.insert(std::ranges::upper_bound(group, &known, comes_before), &known);
  if (!known.claim.pod_uid.empty()) by_pod_.emplace(known.claim.pod_uid, &known);
}

void ClaimView::unindex(const KnownClaim& known) {
  const auto group = by_primitive_.find(known.claim.primitive);
  group->second.erase(std::ranges::lower_bound(group->second, &known, comes_before));
  if (group->second.empty()) by_primitive_.erase(group);
  const auto [first, last] = by_pod_.equal_range(known.claim.pod_uid);
  const auto named = std::find_if(first, last, [&](const auto& pair) { return pair.second == &known; });
  if (named != last) by_pod_.erase(named);
}

}  // namespace konductor::runtime
