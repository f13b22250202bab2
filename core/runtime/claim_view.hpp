#pragma once

#include "runtime/claim.hpp"
#include "runtime/view_event.hpp"

#include <cstdint>
#include <map>
#include <memory>
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
  struct Order {
    bool operator()(const Claim* left, const Claim* right) const noexcept {
      if (served_before(*left, *right)) return true;
      if (served_before(*right, *left)) return false;
      return left->uid < right->uid;
    }
  };
  /// The claims of one primitive, in the order in which they would be served.
  using Ordered = std::set<const Claim*, Order>;

  /// What a change touched.
  struct Change {
    std::vector<kube::NamespacedName> primitives;
    std::vector<std::string> gone;   // UIDs of claims that are no longer there
    const Claim* applied = nullptr;  // the claim that is new or changed
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
  [[nodiscard]] const Ordered& of(const kube::NamespacedName& primitive) const;
  /// The claims that name this Pod.
  [[nodiscard]] std::vector<const Claim*> of_pod(const std::string& pod_uid) const;
  [[nodiscard]] std::size_t size() const noexcept { return claims_.size(); }
  [[nodiscard]] const std::map<std::string, std::unique_ptr<Claim>>& all() const noexcept { return claims_; }

 private:
  Change put(Claim claim);
  void take_out(const std::string& key, Change& change);
  void index(const Claim& claim);

  std::map<std::string, std::unique_ptr<Claim>> claims_;  // by key
  std::map<kube::NamespacedName, Ordered> by_primitive_;
  std::unordered_multimap<std::string, const Claim*> by_pod_;
  std::unordered_set<std::string> buried_;  // UIDs, until the watch has told their end
  std::set<std::string> listed_;            // keys, between begin and synced
  std::uint64_t rv_ = 0;
  bool listing_ = false;
  bool synced_ = false;
};

}  // namespace konductor::runtime
