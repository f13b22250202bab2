#include "semaphore/line.hpp"

#include <algorithm>
#include <tuple>

namespace konductor::semaphore {
namespace {

// So far from the ends of 64 bits that no sum below leaves them.
constexpr std::int64_t far = std::int64_t{1} << 61U;

std::int64_t bounded(std::int64_t now) {
  return std::clamp<std::int64_t>(now, 0, far);
}

std::int64_t asked(const Spec& spec, const ClaimIn& claim) {
  const std::int64_t priority = std::clamp(claim.priority, -far, far);
  return spec.max_priority ? std::min<std::int64_t>(priority, *spec.max_priority) : priority;
}

/// An effective priority as it grows: at the time `turn * aging + phase` it is turn + base, and one less as long as
/// phase is below its own. So the order of claims repeats itself every `aging`, but for those that come and go.
struct Growth {
  std::int64_t base = 0;
  std::int64_t phase = 0;

  [[nodiscard]] std::int64_t level(std::int64_t at_phase) const { return at_phase < phase ? base - 1 : base; }
};

Growth growth_of(const Spec& spec, const ClaimIn& claim, std::int64_t now) {
  const std::int64_t priority = asked(spec, claim);
  if (spec.priority_aging <= 0) return {priority, 0};
  // The server's clock, as it was read for `now`, may be behind the one that stamped the claim.
  const std::int64_t since = std::clamp<std::int64_t>(claim.created, 0, bounded(now));
  return {priority - since / spec.priority_aging, since % spec.priority_aging};
}

std::int64_t phase_of(const Spec& spec, std::int64_t now) {
  return spec.priority_aging <= 0 ? 0 : bounded(now) % spec.priority_aging;
}

/// Who may come to the head of the line in the next `aging`.
struct Candidate {
  std::int64_t phase = 0;  // at which it rises
  std::int64_t created = 0;
  std::size_t index = 0;
  bool highest = false;  // it rises to the highest level; else from two below it to one below it
  bool fits = false;

  [[nodiscard]] bool older(const Candidate& other) const {
    return std::tie(created, index) < std::tie(other.created, other.index);
  }
};

const Candidate* older_of(const Candidate* known, const Candidate& added) {
  return known == nullptr || added.older(*known) ? &added : known;
}

/// Sorted by phase. Nobody whose base is lower can be at the head: the highest are never more than one level below
/// their base.
std::vector<Candidate> candidates(const Spec& spec, std::span<const ClaimIn> claims,
                                  std::span<const std::size_t> in_line, std::int64_t free, std::int64_t now) {
  std::vector<Growth> growths;
  growths.reserve(in_line.size());
  for (const std::size_t index : in_line) growths.push_back(growth_of(spec, claims[index], now));
  std::int64_t highest = growths.front().base;
  for (const Growth& growth : growths) highest = std::max(highest, growth.base);

  std::vector<Candidate> found;
  for (std::size_t i = 0; i < in_line.size(); ++i) {
    if (growths[i].base < highest - 1) continue;
    const ClaimIn& claim = claims[in_line[i]];
    found.push_back({growths[i].phase, claim.created, in_line[i], growths[i].base == highest, units_of(claim) <= free});
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.phase < right.phase; });
  return found;
}

}  // namespace

Line::Line(const Spec& spec, std::span<const ClaimIn> claims, std::int64_t now)
    : as_given_(spec.priority_aging <= 0 && !spec.max_priority), count_(claims.size()) {
  if (as_given_) return;
  struct Place {
    std::int64_t level;
    std::int64_t created;
    std::size_t index;
  };
  std::vector<Place> places;
  const std::int64_t phase = phase_of(spec, now);
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (claims[i].holds) continue;
    places.push_back({growth_of(spec, claims[i], now).level(phase), claims[i].created, i});
  }
  std::sort(places.begin(), places.end(), [](const Place& left, const Place& right) {
    return std::tie(right.level, left.created, left.index) < std::tie(left.level, right.created, right.index);
  });
  order_.reserve(places.size());
  for (const Place& place : places) order_.push_back(place.index);
}

std::optional<std::int64_t> next_to_fit(const Spec& spec, std::span<const ClaimIn> claims,
                                        std::span<const std::size_t> in_line, std::int64_t free, std::int64_t now) {
  if (spec.priority_aging <= 0 || in_line.empty()) return std::nullopt;
  const auto all = candidates(spec, claims, in_line, free, now);
  const std::int64_t phase = phase_of(spec, now);
  const std::int64_t turn = bounded(now) - phase;

  // As long as none of the highest has risen they stand one level below, beside those of that level which have.
  const Candidate* head = nullptr;
  for (const Candidate& one : all) {
    if (one.highest) head = older_of(head, one);
  }
  bool risen = false;
  std::optional<std::int64_t> in_next_turn;
  for (auto one = all.begin(); one != all.end();) {
    const std::int64_t at = one->phase;
    for (; one != all.end() && one->phase == at; ++one) {
      if (one->highest && !risen) {
        risen = true;
        head = &*one;
      } else if (one->highest || !risen) {
        head = older_of(head, *one);
      }
    }
    if (!head->fits) continue;
    if (at > phase) return turn + at;
    if (!in_next_turn) in_next_turn = turn + spec.priority_aging + at;
  }
  return in_next_turn;
}

}  // namespace konductor::semaphore
