#pragma once

#include "runtime/claim.hpp"
#include "runtime/participant.hpp"
#include "runtime/plan.hpp"
#include "runtime/upkeep.hpp"

#include <optional>
#include <string>

namespace konductor::runtime {

/// Back-off of one object after failed writes.
struct Retry {
  MonoTime not_before{};
  int failures = 0;
};

/// So many failures in a row, some three seconds of them, are worth telling people of.
inline constexpr int many_failures = 6;

/// What this process remembers of a claim: caches and timers only.
struct ClaimNotes {
  std::string stamp;  // clock_stamp when last looked at
  Sightings seen;     // of that stamp, and of a revocation
  MonoTime first_seen{};
  MonoTime look_at = MonoTime::max();  // its appointment in the agenda of its primitive
  PodState pod = PodState::unknown;    // when last looked at
  bool over = false;                   // time or its Pod has ended it, whether or not that is written yet
  bool crowded_out = false;            // its upkeep waits for room for a request
  bool busy = false;                   // a write is in flight
  bool ending = false;                 // that write ends it
  bool refused = false;                // the server would not have the last write, whenever it is sent
  std::string trouble;                 // why the last write failed, other than by a conflict
  std::string refused_rv;  // a write on this resourceVersion met a conflict: wait for a newer one, but not for ever
  Retry retry;
  std::optional<OwningJob> job;            // that has to be asked who this claim stands for
  std::optional<Participant> participant;  // found out, and still to be written
  std::string gone;                        // why nobody can know any more; empty: somebody may
  std::string doubt;                       // reason of what it is to be told, while it is not known
  bool told_doubt = false;                 // that was written, or is being written
  bool discarded = false;                  // its primitive needs it no longer

  /// What is to be written on it fails, for as long as nobody mends what `trouble` says.
  [[nodiscard]] bool in_vain() const { return !trouble.empty() && (refused || retry.failures >= many_failures); }
};

/// A claim of the view, and what is noted of it; both for as long as an object of its UID is there.
struct KnownClaim {
  Claim claim;
  ClaimNotes notes;
};

}  // namespace konductor::runtime
