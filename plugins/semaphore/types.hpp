#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace konductor::semaphore {

inline constexpr std::int32_t most_permits = 1'000'000;
inline constexpr std::int32_t most_priority = 1'000'000;   // and the least is its negative
inline constexpr std::int64_t shortest_aging = 1'000'000;  // microseconds, as the next
inline constexpr std::int64_t longest_aging = 8760LL * 3600 * 1'000'000;

struct Spec {
  std::int32_t permits = 0;         // 0 to most_permits
  std::int64_t priority_aging = 0;  // microseconds of waiting that raise a priority by 1; 0: none do
  std::optional<std::int32_t> max_priority = std::nullopt;  // what a claim may ask
};

/// A claim, as far as it matters here.
struct ClaimIn {
  bool holds = false;      // granted, revoking, or unknown; else it waits
  std::int64_t units = 1;  // less than 1 counts as 1
  bool no_wait = false;    // is denied by the host after this decision unless it is granted
  std::int64_t priority = 0;
  std::int64_t created = 0;  // when it asked
};

constexpr std::int64_t units_of(const ClaimIn& claim) noexcept {
  return std::max<std::int64_t>(claim.units, 1);
}

enum class Phase {
  ready,    // serves
  paused,   // permits: 0
  draining  // more is held than the limit, which was lowered
};

/// What people see. It is the state after the grants of the decision that made it.
struct Status {
  Phase phase = Phase::ready;
  std::int64_t permits = 0;  // the limit that was served, not only asked for
  std::int64_t in_use = 0;
  std::int64_t available = 0;
  std::int64_t waiting = 0;

  bool operator==(const Status&) const = default;
};

}  // namespace konductor::semaphore
