#include "runtime/pod_tracker.hpp"

#include <algorithm>
#include <utility>

namespace konductor::runtime {
namespace {

bool is_over(PodState state) noexcept {
  return state == PodState::succeeded || state == PodState::failed || state == PodState::gone;
}

}  // namespace

void PodTracker::begin() {
  listed_.clear();
  listing_ = true;
}

bool PodTracker::apply(const std::string& uid, std::uint64_t rv) {
  if (listing_) {
    listed_.insert(uid);
    return false;  // synced() is news of all of them
  }
  rv_ = std::max(rv_, rv);
  return alive_.insert(uid).second;
}

void PodTracker::remove(const std::string& uid, std::uint64_t rv) {
  rv_ = std::max(rv_, rv);
  alive_.erase(uid);
}

void PodTracker::synced(std::uint64_t rv) {
  rv_ = std::max(rv_, rv);
  alive_ = std::exchange(listed_, {});
  listing_ = false;
  synced_ = true;
}

void PodTracker::progress(std::uint64_t rv) noexcept {
  rv_ = std::max(rv_, rv);
}

void PodTracker::refer(const std::string& uid) {
  if (!uid.empty()) ++named_[uid].claims;
}

bool PodTracker::forget(const std::string& uid) {
  const auto found = named_.find(uid);
  if (found == named_.end() || --found->second.claims > 0) return false;
  named_.erase(found);
  return true;
}

void PodTracker::answered(const std::string& uid, PodState state, std::uint64_t rv) {
  const auto found = named_.find(uid);
  if (found == named_.end()) return;
  found->second.state = state;
  found->second.at = std::max(found->second.at, rv);
}

PodState PodTracker::state(const std::string& uid) const {
  if (uid.empty()) return PodState::none;
  const auto found = named_.find(uid);
  // An end is final: a UID never comes back.
  if (found != named_.end() && is_over(found->second.state)) return found->second.state;
  if (alive_.contains(uid)) return PodState::alive;
  return found == named_.end() ? PodState::unknown : found->second.state;
}

bool PodTracker::is_doubtful(const std::string& uid) const {
  if (!synced_ || alive_.contains(uid)) return false;
  const auto found = named_.find(uid);
  return found != named_.end() && !is_over(found->second.state);
}

bool PodTracker::wants_question(const std::string& uid) const {
  if (!is_doubtful(uid)) return false;
  const auto found = named_.find(uid);
  // Alive by an answer that is newer than the watch: the watch has yet to show it.
  return found->second.state == PodState::unknown || found->second.at <= rv_;
}

}  // namespace konductor::runtime
