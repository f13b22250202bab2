#pragma once

#include "kube/request.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"
#include "runtime/plan.hpp"
#include "runtime/primitive.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace konductor::runtime {

/// One line of the short list of holders that people see.
struct HolderLine {
  std::string claim;
  std::string holder;
  std::int64_t units = 0;
  std::string since;  // empty: recorded just now, or earlier as it is shown
};

/// What a primitive's status should show: the plugin's fields, conditions, holders, observedGeneration.
struct ShownStatus {
  std::string fields = "{}";  // JSON object of the plugin
  std::vector<PlanCondition> conditions;
  std::vector<HolderLine> holders;
  bool with_holders = false;
  std::string selector;           // of the scale subresource; empty: none
  std::vector<PlanEvent> events;  // of the plan: told with the change that they tell of
};

/// What status.selector says where the kind has a scale: constant, and selects nothing. Empty where it has none.
[[nodiscard]] std::string scale_selector(const KindDeclaration& kind, const kube::NamespacedName& primitive);

/// The difference between what is shown and what should be.
struct StatusDifference {
  StatusDifference();
  ~StatusDifference();
  StatusDifference(StatusDifference&&) noexcept;
  StatusDifference& operator=(StatusDifference&&) noexcept;

  std::unique_ptr<nlohmann::json> status;  // merge patch of .status; an empty object where nothing differs
  bool urgent = false;                     // the phase or a condition changed
  std::vector<PlanEvent> events;           // what people are to hear of it: it became ready, or no longer is
  [[nodiscard]] bool empty() const;
};

/// Is this another state than the one that is stored?
[[nodiscard]] bool changes_state(const Primitive& primitive, const std::string& state);

StatusDifference difference(const Primitive& primitive, const ShownStatus& wanted, WallTime server_now);

/// Durable state of a decision, with the server's time that the decision was made for.
struct NewState {
  std::string json;
  WallTime time;
};

/// The one write of a primitive: compare-and-swap on its resourceVersion, with the ledger, the durable state if it
/// changes, and whatever of the shown status differs.
kube::Request record(const KindDeclaration& kind, const Primitive& primitive, const Ledger* ledger,
                     const NewState* state, const StatusDifference& shown);

}  // namespace konductor::runtime
