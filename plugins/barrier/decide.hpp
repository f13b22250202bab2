#pragma once

#include "barrier/types.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace konductor::barrier {

/// How a round stands.
inline constexpr std::string_view waiting = "Waiting";                    // not enough have arrived
inline constexpr std::string_view all_arrived = "AllArrived";             // it opened, as the next two
inline constexpr std::string_view quorum_reached = "QuorumReached";       // quorumPolicy Immediate
inline constexpr std::string_view quorum_at_timeout = "QuorumAtTimeout";  // quorumPolicy AtTimeout
inline constexpr std::string_view timed_out = "TimedOut";                 // it failed

/// An arrival that can never count, and why, in literals.
struct Denial {
  std::size_t claim = 0;
  std::string_view reason;
  std::string_view message;
};

struct Decision {
  State state;
  Standing stands;                       // the round of `state`
  std::string opened;                    // the message of the round that opens by this very decision
  std::optional<std::int64_t> deadline;  // of a round that waits: to decide again
  std::vector<Denial> denials;
  std::vector<std::size_t> discards;  // arrivals for rounds that have opened
};

/// Counts participants, each once a round. Rounds open one after another, at most one in a decision; what was decided
/// of one stays, whatever is deleted, edited or arrives later. Only arrivals made until the deadline count, however
/// late somebody looks. A round that fails is the last.
Decision decide(const Spec& spec, const State& state, std::span<const ArrivalIn> arrivals, std::int64_t now);

}  // namespace konductor::barrier
