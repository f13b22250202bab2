#pragma once

#include "kube/time.hpp"
#include "runtime/kind.hpp"
#include "tests/sim/api_model.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace konductor::sim {

/// A claim that counts for a participant, from its first write to its end.
struct Attendee {
  std::string claim;
  std::string owner;  // UID of the primitive
  std::string truth;  // who it is
  std::string known;  // who it is taken for; empty: that is not written down yet
  std::string pod;    // its UID
  std::optional<std::int64_t> round;
  kube::WallTime asked;  // when it was made, as exactly as it says itself
  std::uint64_t born = 0;
  std::uint64_t died = std::numeric_limits<std::uint64_t>::max();
};

/// Who came to the one primitive of a world, and when, by the claims as they were written.
class Attendance {
 public:
  explicit Attendance(const runtime::KindDeclaration& kind) : kind_(kind) {}

  /// The claim of this name will be this participant's.
  void expect(const std::string& claim, const std::string& truth) { truth_[claim] = truth; }
  /// Says what is wrong with what was written on a claim, or nothing.
  std::string on_commit(const Commit& commit);
  /// A new primitive: only who belongs to it counts from now on.
  void begin(const std::string& owner) { owner_ = owner; }

  /// Those of the present primitive for a round, with and without those that left, or whose Pod went before it was
  /// written down who they are: nobody has to find that out any more.
  [[nodiscard]] std::vector<const Attendee*> of(std::int64_t round, bool reusable) const;
  [[nodiscard]] std::vector<const Attendee*> present(std::int64_t round, bool reusable) const;
  [[nodiscard]] const Attendee* find(const std::string& claim) const;

 private:
  std::string on_claim(const Commit& commit);

  const runtime::KindDeclaration& kind_;
  std::map<std::string, std::string> truth_;  // by name of the claim
  std::vector<Attendee> all_;
  std::set<std::string> gone_pods_;  // UIDs
  std::string owner_;
};

/// The round that a claim counts for; empty: for none.
std::optional<std::int64_t> round_of(const Attendee& one, bool reusable);
/// How many participants were there at one moment at the most, of those that came until then and are written down.
std::int64_t most_at_once(const std::vector<const Attendee*>& all, kube::WallTime until);

}  // namespace konductor::sim
