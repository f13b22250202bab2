#pragma once

#include "runtime/claim.hpp"
#include "runtime/clock.hpp"
#include "runtime/plan.hpp"

#include <optional>
#include <string>

namespace konductor::runtime {

struct KindSettings;

/// Reasons of an Ending by its Pod.
inline constexpr const char* ttl_expired = "TTLExpired";
inline constexpr const char* pod_gone = "PodGone";
inline constexpr const char* pod_finished = "PodFinished";

/// What ends a claim, as its status will say it.
struct Ending {
  Phase phase = Phase::expired;
  std::string reason;   // of the condition Granted=False
  std::string message;  // for people
};

/// What time and its Pod ask of a claim, whatever its primitive decides.
struct Upkeep {
  std::optional<Ending> end;    // write this terminal phase now
  bool remove = false;          // it was terminal long enough: delete it
  std::optional<MonoTime> due;  // else look again then
};

/// The time to live that a claim has or would get: its own, else the primitive's, else the default; never above the
/// primitive's. What it was granted with stays for the life of that grant.
[[nodiscard]] Duration effective_ttl(const Claim& claim, std::int64_t primitive_ttl, Duration default_ttl) noexcept;

/// Part of a claim's state: its clock starts again whenever this changes. Holds what a renewal or a grant changes.
[[nodiscard]] std::string clock_stamp(const Claim& claim);

/// Does the clock of a claim with this earlier stamp start again? Not by a revocation, nor by renewals after it. One
/// that was not seen revoking before may have been renewed before it was revoked, and both be seen at once.
[[nodiscard]] bool restarts_clock(const std::string& earlier_stamp, const Claim& claim, bool seen_revoking);

/// When this operator saw something first, by its own monotonic clock.
struct Sightings {
  MonoTime stamp{};     // the claim's present clock_stamp
  MonoTime revoking{};  // that it was told to stop; of a claim that was
};

/// `ttl` is absent where nobody has to renew it.
[[nodiscard]] Upkeep upkeep(const Claim& claim, const Sightings& seen, std::optional<Duration> ttl, PodState pod,
                            Duration keep_terminal, MonoTime now);

}  // namespace konductor::runtime
