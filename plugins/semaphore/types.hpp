#pragma once

#include <cstdint>

namespace konductor::semaphore {

inline constexpr std::int32_t most_permits = 1'000'000;

struct Spec {
  std::int32_t permits = 0;  // 0 to most_permits
};

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
