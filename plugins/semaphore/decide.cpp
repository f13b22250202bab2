#include "semaphore/decide.hpp"

#include "semaphore/line.hpp"

#include <algorithm>
#include <limits>

namespace konductor::semaphore {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

/// Both at least 0. Saturates: a sum that is too large to count is certainly over the limit.
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return a > most - b ? most : a + b;
}

struct Served {
  std::vector<std::size_t> grants;
  std::int64_t in_use = 0;
  bool cut_short = false;  // by max_grants
};

Served serve(std::int64_t limit, std::span<const ClaimIn> claims, const Line& line, std::size_t max_grants) {
  Served served;
  for (const ClaimIn& claim : claims) {
    if (claim.holds) served.in_use = plus(served.in_use, units_of(claim));
  }
  for (std::size_t place = 0; place < line.size() && served.in_use < limit; ++place) {
    const std::size_t i = line[place];
    const std::int64_t units = units_of(claims[i]);
    if (claims[i].holds || units > limit) continue;
    if (units > limit - served.in_use) {
      if (claims[i].no_wait) continue;
      break;
    }
    if (served.grants.size() >= max_grants) {
      served.cut_short = true;
      break;
    }
    served.grants.push_back(i);
    served.in_use += units;
  }
  return served;
}

std::string permits(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " permit" : " permits");
}

/// Stored when the claim starts to wait, and not again: it says nothing that changes meanwhile.
std::string waiting_message(std::int64_t units) {
  return "its turn for " + permits(units) + " has not come";
}

/// Of a claim that is denied now: how things stand at this moment.
std::string denial_message(std::int64_t units, const Status& status, std::size_t ahead) {
  const std::string line =
      ahead == 0 ? "" : "; " + std::to_string(ahead) + (ahead == 1 ? " waits" : " wait") + " before it";
  return "asks for " + permits(units) + ", and " + std::to_string(status.in_use) + " of " +
         std::to_string(status.permits) + " are in use" + line;
}

std::string exceeding_message(std::int64_t units, std::int64_t limit) {
  return "asks for " + permits(units) + ", and the limit is " + std::to_string(limit);
}

Wait wait_of(std::size_t index, const ClaimIn& claim, const Status& status, std::size_t ahead, bool with_message) {
  const std::int64_t units = units_of(claim);
  Wait wait{.claim = index, .reason = waiting, .message = {}};
  if (status.permits == 0) {
    wait.reason = paused;
    if (with_message) wait.message = "paused: its limit is 0 permits";
  } else if (units > status.permits) {
    wait.reason = exceeds_limit;
    if (with_message) wait.message = exceeding_message(units, status.permits);
  } else if (with_message) {
    wait.message = claim.no_wait ? denial_message(units, status, ahead) : waiting_message(units);
  }
  return wait;
}

/// One that nobody behind it may overtake, once the decision is carried out.
bool blocks(const ClaimIn& claim, std::int64_t limit) {
  return !claim.no_wait && units_of(claim) <= limit;
}

/// When the order will have changed so that somebody fits what is free; while nothing is, no order matters.
std::optional<std::int64_t> look_again(const Spec& spec, std::span<const ClaimIn> claims, const Decision& decision,
                                       std::int64_t now) {
  if (spec.priority_aging <= 0 || decision.status.available == 0) return std::nullopt;
  std::vector<std::size_t> in_line;
  for (const Wait& wait : decision.waits) {
    if (blocks(claims[wait.claim], spec.permits)) in_line.push_back(wait.claim);
  }
  return next_to_fit(spec, claims, in_line, decision.status.available, now);
}

std::vector<Wait> explain(std::span<const ClaimIn> claims, const Line& line, const Served& served, const Status& status,
                          std::size_t max_messages) {
  std::vector<Wait> waits;
  waits.reserve(static_cast<std::size_t>(status.waiting));
  auto grant = served.grants.begin();
  std::size_t ahead = 0;
  for (std::size_t place = 0; place < line.size(); ++place) {
    const std::size_t i = line[place];
    if (grant != served.grants.end() && *grant == i) {
      ++grant;
      continue;
    }
    const ClaimIn& claim = claims[i];
    if (claim.holds) continue;
    waits.push_back(wait_of(i, claim, status, ahead, claim.no_wait || waits.size() < max_messages));
    if (blocks(claim, status.permits)) ++ahead;
  }
  return waits;
}

Phase phase_of(std::int64_t limit, std::int64_t in_use) {
  if (limit == 0) return Phase::paused;
  return in_use > limit ? Phase::draining : Phase::ready;
}

void describe(Decision& decision) {
  switch (decision.status.phase) {
    case Phase::paused:
      decision.ready_reason = paused;
      decision.ready_message = "permits is 0: nothing is granted until it is raised";
      return;
    case Phase::draining:
      decision.ready_reason = "Draining";
      decision.ready_message = "more is in use than the limit of " + permits(decision.status.permits) +
                               "; nothing is granted until enough is released";
      return;
    case Phase::ready:
      decision.ready_reason = "Serving";
      decision.ready_message = "serves up to " + permits(decision.status.permits) + " at a time";
      return;
  }
}

}  // namespace

Decision decide(const Spec& spec, std::span<const ClaimIn> claims, const Limits& limits, std::int64_t now) {
  const std::int64_t limit = spec.permits;
  const Line line(spec, claims, now);
  Served served = serve(limit, claims, line, limits.max_grants);
  const auto holding = std::count_if(claims.begin(), claims.end(), [](const ClaimIn& claim) { return claim.holds; });

  Decision decision;
  decision.status = {.phase = phase_of(limit, served.in_use),
                     .permits = limit,
                     .in_use = served.in_use,
                     .available = std::max<std::int64_t>(limit - served.in_use, 0),
                     .waiting = std::ssize(claims) - holding - std::ssize(served.grants)};
  if (!served.cut_short) {
    decision.waits = explain(claims, line, served, decision.status, limits.max_messages);
    decision.look_again_at = look_again(spec, claims, decision, now);
  }
  decision.grants = std::move(served.grants);
  describe(decision);
  return decision;
}

}  // namespace konductor::semaphore
