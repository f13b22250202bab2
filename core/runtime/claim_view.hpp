#pragma once

#include "runtime/claim_notes.hpp"
#include "runtime/view_event.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace konductor::runtime {

/// The operator's cache of all claims of a kind: what the watch told, complete up to rv(), with the operator's own
/// writes laid over it. Of one claim the newest state known is kept, whichever way it came.
class ClaimView {
 public:
  /// The claims of one primitive, in the order in which they would be served. A vector, because a decision runs
  /// through all of them, and moving a few pointers is cheaper than chasing them.
  using Ordered = std::vector<KnownClaim*>;

  /// What a change touched.
  struct Change {
    std::vector<kube::NamespacedName> primitives;
    std::vector<std::string> gone;  // UIDs of claims that are no longer there
    KnownClaim* applied = nullptr;  // the claim that is new or changed
  };

  /// From the watch. `progress`, `begin` and `synced` carry no claim; of `apply` and `remove`, `claim` is the parsed
  /// object.
  Change begin();
  Change apply(Claim claim);
  Change remove(const Claim& claim);
  Change synced(std::uint64_t rv);
  void progress(std::uint64_t rv) noexcept;

  /// The answer to an own write: newer than what the watch has told, or already known.
  Change lay_over(Claim claim);
  /// An own delete succeeded, or a write found nothing: the claim of this UID will not come back.
  Change bury(const std::string& key, const std::string& uid);

  /// The view is complete up to this resourceVersion; 0 before the first list.
  [[nodiscard]] std::uint64_t rv() const noexcept { return rv_; }
  [[nodiscard]] bool is_synced() const noexcept { return synced_; }
  /// Between begin and synced, when old and new are mixed.
  [[nodiscard]] bool is_listing() const noexcept { return listing_; }
  [[nodiscard]] const Claim* find(const std::string& key) const;
  /// Null where the claim of this key has another UID; an empty one means any.
  [[nodiscard]] KnownClaim* known(const std::string& key, const std::string& uid = {});
  [[nodiscard]] const KnownClaim* known(const std::string& key, const std::string& uid = {}) const;
  [[nodiscard]] const Ordered& of(const kube::NamespacedName& primitive) const;
  /// The claims that name this Pod.
  [[nodiscard]] std::vector<KnownClaim*> of_pod(const std::string& pod_uid) const;
  [[nodiscard]] std::size_t size() const noexcept { return claims_.size(); }

 private:
  Change put(Claim claim);
  void take_out(const std::string& key, Change& change);
  void index(KnownClaim& known);
  void unindex(const KnownClaim& known);

  std::map<std::string, KnownClaim> claims_;  // by key; addresses are stable
  std::map<kube::NamespacedName, Ordered> by_primitive_;
  std::unordered_multimap<std::string, KnownClaim*> by_pod_;
  std::unordered_set<std::string> buried_;  // UIDs, until the watch has told their end
  std::set<std::string> listed_;            // keys, between begin and synced
  std::uint64_t rv_ = 0;
  bool listing_ = false;
  bool synced_ = false;
};

}  // namespace konductor::runtime
