#pragma once

#include "semaphore/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::semaphore {

struct Limits {
  std::size_t max_grants = 128;   // of one decision; the next follows once these are recorded
  std::size_t max_messages = 50;  // of waiting claims with a sentence; claims that do not wait always have one
};

struct Wait {
  std::size_t claim = 0;
  std::string_view reason;  // a literal
  std::string message;      // may be empty
};

struct Decision {
  std::vector<std::size_t> grants;  // indices, in the order in which they are served
  /// Of every claim that is not granted, in the order in which they are served; none where max_grants cut the decision
  /// short, for then more may be granted.
  std::vector<Wait> waits;
  std::optional<std::int64_t> look_again_at;  // ageing alone lets somebody be granted then; empty: it never does
  Status status;
  std::string_view ready_reason;
  std::string ready_message;
};

/// Reasons of a Wait.
inline constexpr std::string_view waiting = "Waiting";             // its turn has not come
inline constexpr std::string_view exceeds_limit = "ExceedsLimit";  // asks for more than the limit, and is skipped
inline constexpr std::string_view paused = "Paused";               // permits: 0

/// Serves claims strictly in their order (line.hpp). The first that fits the limit but not what is free keeps its
/// place: nobody overtakes it, so that large requests do not starve. One that exceeds the limit is skipped, and one
/// that does not wait holds nobody up. Holders keep what they hold, whatever the limit. `now` matters with
/// priorityAging only.
Decision decide(const Spec& spec, std::span<const ClaimIn> claims, const Limits& limits, std::int64_t now = 0);

}  // namespace konductor::semaphore
