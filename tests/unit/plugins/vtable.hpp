#pragma once

#include <konductor/plugin.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Calls a plugin as a host does: through the C functions of its shared object, with a sink that records.
namespace konductor::plugin_test {

/// The declarations of a shared object. It is opened once and stays open.
const konductor_plugin& load(const std::string& path);

struct TestClaim {
  konductor_claim_state state = KONDUCTOR_WAITING;
  std::int64_t units = 1;
  bool no_wait = false;
  std::optional<std::string> text = std::nullopt;  // of the first claim field, where the kind declares one
  std::int64_t priority = 0;
  std::optional<std::int64_t> created = std::nullopt;  // absent: its number
  std::optional<std::int64_t> number = std::nullopt;   // in place of `text`, where that field is an integer
  std::string participant = {};
};

struct World {
  std::string spec = "{}";
  std::string state = "{}";
  std::int64_t now = 1'700'000'000'000'000;
  std::uint32_t max_grants = 128;
  std::vector<TestClaim> claims = {};
};

struct RecordedVerdict {
  std::size_t claim = 0;
  konductor_verdict_kind kind = 0;
  std::string reason;
  std::string message;
};

struct RecordedCondition {
  std::string type;
  konductor_condition_status status = KONDUCTOR_UNKNOWN;
  std::string reason;
  std::string message;
};

struct Output {
  std::int32_t returned = 0;
  std::vector<RecordedVerdict> verdicts;
  std::optional<std::string> state;
  std::string status;
  std::vector<RecordedCondition> conditions;
  std::optional<std::int64_t> look_again_at;
  std::vector<std::string> events;  // "Reason: message"

  /// The claims with this verdict, in the order in which they were given.
  [[nodiscard]] std::vector<std::size_t> with(konductor_verdict_kind kind) const;
  [[nodiscard]] std::vector<std::size_t> granted() const { return with(KONDUCTOR_GRANT); }
  /// The reason of the claim's verdict; empty without one.
  [[nodiscard]] std::string reason_of(std::size_t claim) const;
  [[nodiscard]] std::string message_of(std::size_t claim) const;
  /// A number of the status.
  [[nodiscard]] std::int64_t shown(const char* member) const;
  /// Null where there is none of that type.
  [[nodiscard]] const RecordedCondition* condition(const std::string& type) const;
};

Output decide(const konductor_kind& kind, const World& world);

/// The world after the host carried the output out.
void apply(World& world, const Output& output);

}  // namespace konductor::plugin_test
