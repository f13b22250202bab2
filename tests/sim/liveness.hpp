#pragma once

#include "tests/sim/oracle.hpp"
#include "tests/sim/world.hpp"

#include <map>
#include <string>

namespace konductor::sim {

/// What must come to pass before long while nothing is disturbed: nobody holds for ever, and nobody waits for a place
/// that is free. Looked at again and again.
class Liveness {
 public:
  Liveness(const World& world, Oracle& oracle, const KindUnderTest& kind)
      : world_(world), oracle_(oracle), kind_(kind) {}

  /// All has been quiet since `quiet`.
  void look(const kube::NamespacedName& primitive, Duration quiet);

 private:
  void look_at_holders(const kube::NamespacedName& primitive, Duration quiet);
  void look_at_waiters(const kube::NamespacedName& primitive, Duration quiet);
  /// Since when it has been true without a break, of one claim.
  Duration since(std::map<std::string, Duration>& times, const std::string& uid) const;

  const World& world_;
  Oracle& oracle_;
  const KindUnderTest& kind_;
  std::map<std::string, Duration> dead_;  // the Pods of these claims are gone
  std::string head_;                      // it could be served
  Duration head_since_{0};
};

}  // namespace konductor::sim
