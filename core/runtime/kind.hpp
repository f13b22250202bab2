#pragma once

#include "base/error.hpp"
#include "kube/resource.hpp"
#include "runtime/plan.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace konductor::runtime {

inline constexpr const char* api_group = "sync.konductor.io";
inline constexpr const char* api_version = "v1";

/// The one reason of a wait verdict that the host knows: the claim asks for more than its primitive could ever serve as
/// it stands. One that does not wait is then denied with this reason instead of `not_now`, and kondctl, waiting or not,
/// reports a refusal.
inline constexpr const char* exceeds_limit = "ExceedsLimit";
/// Why a claim that does not wait is denied when it is merely not its turn.
inline constexpr const char* not_now = "Unavailable";
/// Condition of a claim: how sure it is who it stands for. Absent: sure.
inline constexpr const char* participant_condition = "Participant";
/// Ends the reason of a claim whose primitive does not exist; before it stands the kind.
inline constexpr const char* not_found_suffix = "NotFound";

struct Names {
  std::string kind;
  std::string plural;
  std::string singular;
  std::string short_name;
};

enum class Mode { granted, counted, observed };
enum class Lifetime { with_pod, with_primitive };
enum class Place { primitive, claim };

struct FieldDeclaration {
  std::string path;
  ValueType type = ValueType::string;
};

/// A type of objects that decisions ask to see.
struct ObservedType {
  std::string group;
  std::string plural;
};

struct RuleDeclaration {
  Place place = Place::primitive;
  std::string rule;
  std::string message;
};

struct ColumnDeclaration {
  Place place = Place::primitive;
  int priority = 0;
  std::string name;
  std::string type;
  std::string json_path;
  std::string description;
};

/// The host's code that a declared command is bound to; values are those of the ABI.
enum class Action {
  acquire = 1,
  run,
  hold,
  renew,
  release,
  report,
  hand_over,
  wait_for_phase,
  show,
  list,
  create,
  delete_,
  set,
  evaluate,
  join
};

struct FlagDeclaration {
  std::string name;
  std::string placeholder;
  std::string help;
  std::string path;
  ValueType type = ValueType::string;
  bool required = false;
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};

struct FixedValue {
  std::string path;
  std::string json;
};

struct CommandDeclaration {
  Action action = Action::show;
  std::string verb;
  std::string summary;
  std::vector<FlagDeclaration> flags;
  std::vector<FixedValue> fixed;

  /// The flag that sets this field; null: there is none.
  [[nodiscard]] const FlagDeclaration* flag_for(const std::string& path) const {
    const auto found = std::ranges::find(flags, path, &FlagDeclaration::path);
    return found == flags.end() ? nullptr : &*found;
  }
};

/// Which integers of spec and status the scale subresource sets and shows, as "spec.size"; both empty: there is none.
struct ScalePaths {
  std::string spec;
  std::string status;
};

/// How a wait for a primitive ends, by members of its status.
struct WaitDeclaration {
  std::string open_phase;  // empty: nobody waits for a phase
  std::string failed_phase;
  std::string rounds_field;        // of the primitive's spec; empty, with the next two: there are no rounds
  std::string round_field;         // of a claim's spec
  std::string served_round_field;  // of the primitive's status
};

/// A plugin's kind, copied out of its declarations: all that the host ever knows of it.
struct KindDeclaration {
  std::string plugin_name;
  std::string plugin_version;
  Mode mode = Mode::granted;
  Lifetime claim_lifetime = Lifetime::with_pod;
  std::string description;
  std::string claim_description;
  Names names;
  Names claim;  // all empty where mode is observed
  std::string spec_schema;
  std::string status_schema;
  std::string claim_spec_schema;
  std::string claim_status_schema;
  std::string primitive_field;
  std::string units_field;  // empty: each claim is one unit
  std::vector<FieldDeclaration> claim_fields;
  std::vector<RuleDeclaration> rules;
  std::vector<ColumnDeclaration> columns;
  std::vector<CommandDeclaration> commands;
  std::vector<ObservedType> observes;
  ScalePaths scale;
  std::string participant_field;  // of a claim's spec; empty: each claim is one
  WaitDeclaration wait;
  /// Pure. An error means that the spec or the state cannot be understood, or that the plugin broke its contract
  /// (Errc::plugin_incompatible: quarantine the kind).
  std::function<Result<Plan>(const Observation&)> decide;

  [[nodiscard]] bool scales() const { return !scale.spec.empty(); }
  [[nodiscard]] kube::Resource primitive_resource() const { return {api_group, api_version, names.plural}; }
  [[nodiscard]] kube::Resource claim_resource() const { return {api_group, api_version, claim.plural}; }
};

}  // namespace konductor::runtime
