#pragma once

#include "base/error.hpp"
#include "kube/resource.hpp"
#include "runtime/plan.hpp"
#include "runtime/view_event.hpp"

#include <compare>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace konductor::runtime {

/// What one watch for the needs of decisions looks at: one object, or those that a selector picks.
struct WatchTarget {
  kube::Resource resource;
  std::string ns;
  std::string object_name;          // either this
  std::string label_selector;       // or this
  std::vector<std::string> fields;  // the projection that is kept
  friend auto operator<=>(const WatchTarget&, const WatchTarget&) = default;
};

/// The objects that decisions asked to see, reduced to the fields that they named.
class ObservedView {
 public:
  static constexpr std::size_t most_objects = 1000;  // of one need; more are not shown: too_many

  /// `most_targets`: needs beyond so many different ones are too_many, until others end.
  explicit ObservedView(std::size_t most_targets = 1000) : most_targets_(most_targets) {}

  /// What a primitive's last decision wants to see, instead of what it wanted before. True: something is new.
  bool want(const kube::NamespacedName& primitive, const std::vector<Need>& needs);
  /// It is gone, and wants nothing any more.
  void forget(const kube::NamespacedName& primitive);

  /// What has to be watched, now. Whoever drives this keeps one watch for each.
  [[nodiscard]] const std::set<WatchTarget>& targets() const noexcept { return targets_; }
  /// From such a watch. The primitives to which it makes a difference.
  std::vector<kube::NamespacedName> on_event(const WatchTarget& target, const ViewEvent& event);

  /// One entry for each need of its last decision that names an object, one for each object of a need with a selector;
  /// where there is nothing to show, one entry without a name that says why.
  [[nodiscard]] std::vector<ObservedObject> shown_to(const kube::NamespacedName& primitive) const;
  /// Has something that it wants to see not been answered yet, by objects or by a reason?
  [[nodiscard]] bool is_unanswered(const kube::NamespacedName& primitive) const;
  /// The needs beyond most_targets.
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_.size(); }

 private:
  struct Object {
    std::string uid;
    std::string json;
    bool operator==(const Object&) const = default;
  };
  struct Watched {
    bool synced = false;
    ObservedState trouble = ObservedState::present;  // present: none
    std::map<std::string, Object> objects;           // by name
    std::map<std::string, Object> listed;            // between begin and synced
    bool listing = false;
    std::set<kube::NamespacedName> wanted_by;
  };
  struct Wanted {
    std::string id;
    WatchTarget target;
    bool operator==(const Wanted&) const = default;
  };

  void follow(const kube::NamespacedName& primitive, const WatchTarget& target);
  void release(const kube::NamespacedName& primitive, const std::vector<Wanted>& wanted);
  [[nodiscard]] ObservedState state_of(const WatchTarget& target) const;
  static bool apply(Watched& watched, const WatchTarget& target, const ViewEvent& event);

  std::size_t most_targets_;
  std::map<WatchTarget, Watched> watched_;
  std::set<WatchTarget> targets_;
  std::map<kube::NamespacedName, std::vector<Wanted>> wants_;
  std::set<std::pair<WatchTarget, kube::NamespacedName>> left_out_;
};

}  // namespace konductor::runtime
