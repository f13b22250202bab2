#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What a plugin's decision sees and says, in C++ values. All times are microseconds since the Unix epoch by the API
/// server's clock, all durations microseconds, as in the ABI (plugin-api/include/konductor/plugin.h).
namespace konductor::runtime {

enum class ClaimState { waiting, granted, revoking, ended };
enum class PodState { none, alive, succeeded, failed, gone, unknown };
enum class ValueType { string, integer, boolean, duration };

/// A typed claim field as the host extracted it once, when the claim changed.
struct FieldValue {
  ValueType type = ValueType::string;
  bool present = false;
  std::int64_t integer = 0;  // also booleans (0, 1) and durations
  std::string text;
};

/// One claim as a decision sees it. Views point into the claim and live as long as the call.
struct ClaimFacts {
  ClaimState state = ClaimState::waiting;
  std::string_view uid;
  std::string_view key;  // "namespace/name"
  std::string_view holder;
  std::int64_t units = 1;
  std::int64_t priority = 0;
  std::int64_t created = 0;
  std::int64_t deadline = 0;  // 0: none
  std::int64_t token = 0;
  bool no_wait = false;
  PodState pod = PodState::none;
  std::string_view controller_kind;
  std::string_view controller_uid;
  std::int64_t completion_index = -1;
  std::string_view outcome;
  std::span<const FieldValue> fields;
  std::string_view participant;  // of kinds with a participant field
};

enum class ObservedState { present, absent, unsynced, forbidden, not_installed, too_many };

struct ObservedObject {
  ObservedState state = ObservedState::unsynced;
  std::string need_id;
  std::string name;
  std::string uid;
  std::string json;
};

/// The input of one decision.
struct Observation {
  std::string_view ns;
  std::string_view name;
  std::string_view uid;
  std::int64_t generation = 0;
  std::string_view spec;   // JSON object
  std::string_view state;  // JSON object, "{}" at first
  std::int64_t now = 0;
  std::uint32_t max_grants = 0;
  std::span<const ClaimFacts> claims;  // by priority, age, name
  std::span<const ObservedObject> observed;
};

enum class VerdictKind { wait, grant, grant_consume, deny, revoke, discard };

struct Verdict {
  std::size_t claim = 0;  // index into Observation::claims
  VerdictKind kind = VerdictKind::wait;
  std::string reason;
  std::string message;
  std::int64_t grace = 0;  // of revoke
};

enum class ConditionStatus { false_, true_, unknown };

struct PlanCondition {
  std::string type;
  ConditionStatus status = ConditionStatus::unknown;
  std::string reason;
  std::string message;
};

struct Need {
  std::string id;
  std::string group;
  std::string version;
  std::string plural;
  std::string ns;
  std::string object_name;
  std::string label_selector;
  std::vector<std::string> fields;
};

struct PlanEvent {
  bool warning = false;
  std::string reason;
  std::string message;
};

/// The output of one decision. It writes nothing; the host executes it by the grant protocol.
struct Plan {
  std::vector<Verdict> verdicts;  // at most one a claim, each index valid: the adapter has checked it
  std::optional<std::string> state;
  std::optional<std::string> status;
  std::vector<PlanCondition> conditions;
  std::vector<Need> needs;
  std::optional<std::int64_t> look_again_at;
  std::vector<PlanEvent> events;
};

}  // namespace konductor::runtime
