#pragma once

#include "base/error.hpp"
#include "kube/resource.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::runtime {

/// Of a claim, as its status says. An absent phase is `pending`; one that we do not know is `unknown` and counts as
/// holding.
enum class Phase { pending, granted, revoking, denied, expired, revoked, unknown };

std::string_view to_string(Phase phase) noexcept;
[[nodiscard]] bool is_terminal(Phase phase) noexcept;
[[nodiscard]] bool holds(Phase phase) noexcept;

/// A claim object, reduced to what the host and decisions read. Durations and times are microseconds.
struct Claim {
  kube::NamespacedName name;
  std::string key;  // "namespace/name"
  std::string uid;
  std::string resource_version;
  std::uint64_t rv = 0;  // the same as a number; 0 where it is none
  kube::NamespacedName primitive;
  Phase phase = Phase::pending;
  bool acknowledged = false;  // the operator has written a phase
  bool deleting = false;
  bool wait = true;
  std::int64_t units = 1;       // asked for
  std::int64_t held_units = 0;  // while it holds: by its status, which the host wrote
  std::int64_t priority = 0;
  std::int64_t created = 0;           // whole seconds, in microseconds
  std::int64_t asked_at = 0;          // requestedAt, bounded to the second of `created`
  std::int64_t ttl = 0;               // spec.ttl; 0: not given
  std::int64_t granted_ttl = 0;       // status.ttl; 0: not given
  std::optional<std::int64_t> grace;  // status.grace, once it is told to stop
  std::int64_t token = 0;
  std::string mark;       // status.primitiveUID
  std::string owner_uid;  // of an owner reference to a primitive of its kind
  std::string pod_name;
  std::string pod_uid;
  std::string holder;
  std::string renew_time;  // as written: only compared with itself
  std::string granted_at;
  std::string reason;  // of its condition Granted
  std::string outcome;
  std::string participant;       // of kinds that have them; empty: it is still to be found out by its Pod
  bool names_itself = false;     // its spec says that, nobody found it out
  std::string doubt;             // reason of its condition Participant: why that may not be what people think
  std::string other_conditions;  // of kinds with participants: all but that one, as JSON; empty: there are none
  std::vector<FieldValue> fields;
};

/// What is malformed reads as absent where that is safe; a claim without metadata or primitive is an Error.
Result<Claim> parse_claim(const nlohmann::json& object, const KindDeclaration& kind);

/// The order in which waiters are served: priority (higher first), age, name.
[[nodiscard]] bool served_before(const Claim& left, const Claim& right) noexcept;

}  // namespace konductor::runtime
