#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace konductor::sim {

/// What may go wrong, each by itself: shrinking finds out which of them a failure needs.
enum class Trouble : unsigned {
  // Happens all the time.
  requests,  // lost, slow, hung, throttled, executed late
  watches,   // cut, stalled, dead
  // Each one a disturbance, now and then.
  crashes,         // of an operator, which starts again
  shutdowns,       // of an operator, in order
  pauses,          // of an operator, also beyond its lease
  partitions,      // between the API server and an operator or a client
  two_leaders,     // an operator acts as leader whatever the election says
  clocks,          // wall clocks of operators and clients jump
  server_clock,    // the API server's own
  compaction,      // of the API server's history
  client_crashes,  // whatever the client does; it starts again
  pods,            // vanish, with their process or without
  deletions,       // users delete claims
  bad_spec,        // for a while the primitive has a spec that cannot be read
  recreation,      // where the scenario says so
  limit,           // where the scenario says so
  count            // of them
};

std::string_view to_string(Trouble trouble);

/// What a run is made of; the seed decides the rest.
struct Scenario {
  std::string name = {};
  int operators = 2;
  int clients = 6;
  std::int64_t limit = 2;
  std::int64_t most_units = 1;  // that one claim asks
  bool recreate = false;        // users delete the primitive and make it again
  bool change_limit = false;
  bool pods = true;
  bool faults = true;
  int turbulent_s = 60;          // of virtual time; then all is quiet, and everything must come to its end
  std::uint32_t without = 0;     // bits of Trouble
  int disturbances = 1'000'000;  // at the most

  [[nodiscard]] bool allows(Trouble trouble) const;
  void forgo(Trouble trouble) { without |= 1U << static_cast<unsigned>(trouble); }
};

/// All but the name, so that people can hand it on: "operators=2,clients=6,...,without=pauses+clocks".
std::string to_text(const Scenario& scenario);
/// Nothing where the text is none.
std::optional<Scenario> scenario_of(std::string_view text);

}  // namespace konductor::sim
