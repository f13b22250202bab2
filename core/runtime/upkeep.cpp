#include "runtime/upkeep.hpp"

#include "kube/time.hpp"

#include <algorithm>

namespace konductor::runtime {
namespace {

std::optional<Ending> ended_by_pod(const Claim& claim, PodState pod) {
  if (pod == PodState::gone) return Ending{Phase::expired, pod_gone, "pod " + claim.pod_name + " is gone"};
  if (pod == PodState::succeeded || pod == PodState::failed) {
    const std::string how = pod == PodState::succeeded ? " has succeeded" : " has failed";
    return Ending{Phase::expired, pod_finished, "pod " + claim.pod_name + how};
  }
  return std::nullopt;
}

}  // namespace

Duration effective_ttl(const Claim& claim, std::int64_t primitive_ttl, Duration default_ttl) noexcept {
  if (claim.granted_ttl > 0) return Duration{claim.granted_ttl};
  const Duration bound = primitive_ttl > 0 ? Duration{primitive_ttl} : Duration::max();
  const Duration wanted =
      claim.ttl > 0 ? Duration{claim.ttl} : std::min(bound, primitive_ttl > 0 ? bound : default_ttl);
  return std::min(wanted, bound);
}

std::string clock_stamp(const Claim& claim) {
  if (is_terminal(claim.phase)) return "ended";
  return (holds(claim.phase) ? std::to_string(claim.token) : "waiting") + "/" + claim.renew_time;
}

bool restarts_clock(const std::string& earlier_stamp, const Claim& claim, bool seen_revoking) {
  if (claim.phase == Phase::revoking && seen_revoking && earlier_stamp.starts_with(std::to_string(claim.token) + "/"))
    return false;
  return earlier_stamp != clock_stamp(claim);
}

Upkeep upkeep(const Claim& claim, const Sightings& seen, std::optional<Duration> ttl, PodState pod,
              Duration keep_terminal, MonoTime now) {
  Upkeep result;
  if (is_terminal(claim.phase)) {
    if (claim.deleting) return result;
    result.remove = now - seen.stamp >= keep_terminal;
    if (!result.remove) result.due = seen.stamp + keep_terminal;
    return result;
  }
  result.end = ended_by_pod(claim, pod);
  if (result.end) return result;
  // A waiting claim of a Pod lives as long as the Pod; one without must be renewed like a grant.
  if (!ttl || (!holds(claim.phase) && !claim.pod_uid.empty())) return result;
  const MonoTime expiry = seen.stamp + *ttl;
  const MonoTime stop = claim.phase == Phase::revoking && claim.grace ? seen.revoking + Duration{*claim.grace} : expiry;
  if (now < std::min(expiry, stop)) {
    result.due = std::min(expiry, stop);
  } else if (stop < expiry) {
    const auto grace = kube::to_string(Duration{*claim.grace});
    result.end = Ending{Phase::revoked, "Revoked", "told to stop, and its grace of " + grace + " is over"};
  } else {
    result.end = Ending{Phase::expired, ttl_expired, "not renewed for its time to live of " + kube::to_string(*ttl)};
  }
  return result;
}

}  // namespace konductor::runtime
