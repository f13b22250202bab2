#include "barrier/decide.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

namespace konductor::barrier {
namespace {

constexpr std::size_t most_missing = 10;  // are named
constexpr std::string_view not_reusable_message =
    "this Barrier is not reusable and has round 1 alone; leave spec.round out, or arrive at one with reusable: true";
constexpr std::string_view round_missing_message =
    "this Barrier is reusable: say which round this is for by spec.round (kondctl: --round N), so that asking again "
    "after a restart is the same arrival and not one for the next round";

/// Each once, in order. Not hashed: whoever names participants could make them collide.
using Participants = std::vector<std::string_view>;

/// Empty: of none that there can be.
std::optional<std::int64_t> round_of(const Spec& spec, const ArrivalIn& arrival) {
  if (spec.reusable) return arrival.round;
  return arrival.round.value_or(1) == 1 ? std::optional<std::int64_t>(1) : std::nullopt;
}

bool is_for(const Spec& spec, const ArrivalIn& arrival, std::int64_t round) {
  return arrival.counts && round_of(spec, arrival) == round;
}

std::optional<std::int64_t> first_for(const Spec& spec, std::span<const ArrivalIn> arrivals, std::int64_t round) {
  std::optional<std::int64_t> first;
  for (const ArrivalIn& arrival : arrivals) {
    if (is_for(spec, arrival, round)) first = std::min(first.value_or(arrival.created), arrival.created);
  }
  return first;
}

std::optional<std::int64_t> deadline_of(const Spec& spec, const State& state) {
  if (state.verdict || !spec.timeout || !state.first) return std::nullopt;
  return *state.first + *spec.timeout;
}

/// Who has arrived for the present round; in time, while nothing is decided of it.
Participants gather(const Spec& spec, const State& state, std::span<const ArrivalIn> arrivals) {
  const std::int64_t until = deadline_of(spec, state).value_or(std::numeric_limits<std::int64_t>::max());
  Participants participants;
  participants.reserve(arrivals.size());
  for (const ArrivalIn& arrival : arrivals) {
    if (is_for(spec, arrival, state.round) && arrival.created <= until) participants.push_back(arrival.participant);
  }
  std::ranges::sort(participants);
  const auto repeated = std::ranges::unique(participants);
  participants.erase(repeated.begin(), repeated.end());
  return participants;
}

/// Only as it is usually written: "07" is another participant than "7".
std::optional<std::size_t> number_below(std::size_t bound, std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool usual = text.size() == 1 || !text.starts_with('0');
  if (error != std::errc() || end != text.data() + text.size() || !usual || number >= bound) return std::nullopt;
  return number;
}

/// Where all who have arrived are numbers below `expected`, or such numbers after one and the same UID and a slash, as
/// those of one Indexed Job are: the others. Else nobody knows who is missing.
std::string missing_of(const Participants& arrived, std::int64_t expected) {
  std::vector<bool> there(static_cast<std::size_t>(expected));
  std::optional<std::string_view> whose;
  for (const std::string_view participant : arrived) {
    const std::string_view before = participant.substr(0, participant.rfind('/') + 1);  // npos + 1 is 0
    const auto number = number_below(there.size(), participant.substr(before.size()));
    if (!number || whose.value_or(before) != before) return {};
    whose = before;
    there[*number] = true;
  }
  if (!whose) return {};
  std::string text;
  std::size_t count = 0;
  for (std::size_t number = 0; number < there.size(); ++number) {
    if (!there[number] && ++count <= most_missing) text += (count > 1 ? ", " : "") + std::to_string(number);
  }
  return count > most_missing ? text + " and " + std::to_string(count - most_missing) + " more" : text;
}

/// What becomes of a round of which so many have arrived.
std::string_view judge(const Spec& spec, std::int64_t arrived, bool over) {
  const std::int64_t enough = std::min(spec.quorum.value_or(spec.expected), spec.expected);
  if (arrived >= spec.expected) return all_arrived;
  if (arrived >= enough && !spec.at_timeout) return quorum_reached;
  if (!over) return waiting;
  return arrived >= enough ? quorum_at_timeout : timed_out;
}

std::string words(const Spec& spec, std::int64_t round, const Standing& stands) {
  const bool over = stands.reason == quorum_at_timeout || stands.reason == timed_out;
  const std::string quorum = spec.quorum ? "quorum " + std::to_string(*spec.quorum) : "";
  std::string text = spec.reusable ? "round " + std::to_string(round) + ": " : "";
  text += std::to_string(stands.arrived) + " of " + std::to_string(spec.expected);
  if (over) {
    text += (quorum.empty() ? "" : " (" + quorum + ")") + " had arrived when the timeout of " + spec.timeout_text;
    return text + " was over" + (stands.missing.empty() ? "" : "; missing: " + stands.missing);
  }
  text += " have arrived";
  if (!quorum.empty() && stands.reason != all_arrived) text += ", " + quorum;
  if (stands.reason == waiting && spec.at_timeout) text += " at the timeout";
  return stands.reason != waiting || stands.missing.empty() ? text : text + "; waiting for " + stands.missing;
}

Standing stand(const Spec& spec, const State& state, const Participants& here, std::string_view reason) {
  Standing stands{.arrived = static_cast<std::int64_t>(here.size()),
                  .expected = spec.expected,
                  .reason = std::string(reason),
                  .message = {},
                  .missing = missing_of(here, spec.expected)};
  stands.message = words(spec, state.round, stands);
  return stands;
}

/// The next round begins with its first arrival, and not before the last one opened: who comes early takes no time from
/// the others, whenever he is seen.
void begin_next(const Spec& spec, std::span<const ArrivalIn> arrivals, State& state) {
  if (!spec.reusable || state.phase() != Phase::open) return;
  if (const auto first = first_for(spec, arrivals, state.round + 1)) {
    const std::int64_t begins = std::max(*first, state.since.value_or(0));
    state = {.round = state.round + 1, .opened = state.round, .first = begins, .since = {}, .verdict = {}};
  }
}

/// `now`, or where time stands still because it is not known yet who somebody is, when the last arrived: what is
/// decided of them is decided no earlier.
std::int64_t no_earlier_than_arrivals(std::span<const ArrivalIn> arrivals, std::int64_t now) {
  for (const ArrivalIn& arrival : arrivals) now = std::max(now, arrival.created);
  return now;
}

void answer(const Spec& spec, std::span<const ArrivalIn> arrivals, Decision& decision) {
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    if (!arrivals[i].counts) continue;
    const auto round = round_of(spec, arrivals[i]);
    if (!round && spec.reusable) {
      decision.denials.push_back({i, "RoundMissing", round_missing_message});
    } else if (!round) {
      decision.denials.push_back({i, "NotReusable", not_reusable_message});
    } else if (spec.reusable && *round <= decision.state.opened) {
      decision.discards.push_back(i);
    }
  }
}

}  // namespace

Decision decide(const Spec& spec, const State& before, std::span<const ArrivalIn> arrivals, std::int64_t now) {
  Decision decision;
  State& state = decision.state = before;
  Standing& stands = decision.stands;
  begin_next(spec, arrivals, state);
  if (!state.verdict && !state.first) state.first = first_for(spec, arrivals, state.round);
  Participants here = gather(spec, state, arrivals);
  if (!state.verdict) {
    const auto deadline = deadline_of(spec, state);
    const auto reason = judge(spec, static_cast<std::int64_t>(here.size()), deadline && now >= *deadline);
    stands = stand(spec, state, here, reason);
    if (reason != waiting) {
      if (reason != timed_out) {
        decision.opened = stands.message;
        stands.missing.clear();
        state.opened = state.round;
        if (spec.reusable) state.since = no_earlier_than_arrivals(arrivals, now);
      }
      state.verdict = stands;
      // Who was fast is counted for the next round in the same write. That one is judged by the next decision, so that
      // each round is seen to open.
      begin_next(spec, arrivals, state);
      here = gather(spec, state, arrivals);
      if (!state.verdict) stands = stand(spec, state, here, waiting);
    }
  }
  if (state.verdict) stands = *state.verdict;
  // Who comes after it opened is shown too.
  if (state.phase() == Phase::open) stands.arrived = std::max(stands.arrived, static_cast<std::int64_t>(here.size()));
  decision.deadline = deadline_of(spec, state);
  answer(spec, arrivals, decision);
  return decision;
}

}  // namespace konductor::barrier
