#pragma once

#include "kube/time.hpp"
#include "runtime/kind.hpp"
#include "tests/sim/api_model.hpp"
#include "tests/sim/attendance.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace konductor::sim {

/// What a spec promises.
struct RoundRules {
  std::int64_t expected = 1;
  std::optional<std::int64_t> quorum;
  bool at_timeout = false;  // the quorum is enough only when the time is over
  std::optional<std::chrono::microseconds> timeout;
  bool reusable = false;

  [[nodiscard]] std::int64_t enough() const { return quorum.value_or(expected); }
};

/// A kind that counts participants in rounds, and what its users were promised: stated here a second time, without a
/// look at its decide.
struct RoundsKind {
  runtime::KindDeclaration declaration;
  std::function<RoundRules(const nlohmann::json& spec)> rules;
  std::function<nlohmann::json(const RoundRules& rules)> spec;
};

/// Watches every write to the one primitive of a world and says where a promise to those who come, or wait, is broken.
/// It knows the whole truth: who each claim stands for, when it was made, and who was there at once.
class RoundOracle {
 public:
  explicit RoundOracle(const RoundsKind& kind) : kind_(kind), attendance_(kind.declaration) {}

  /// The claim of this name will be this participant's.
  void expect(const std::string& claim, const std::string& truth) { attendance_.expect(claim, truth); }
  void on_commit(const Commit& commit);
  /// All has been quiet for long: what was promised for then has come to pass.
  void check_rest();

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  /// What people see of the primitive.
  struct Shown {
    std::string phase;
    std::int64_t round = 1;
    std::int64_t served = 0;
    std::int64_t arrived = 0;
    std::optional<kube::WallTime> deadline;
  };
  enum class Answer { none, served, failed };

  void on_primitive(const Commit& commit);
  void on_deleted_claim(const Commit& commit);
  void check_course(const Shown& before, const Shown& after);
  void check_deadline(const Shown& before, const Shown& after);
  void check_opening(const Shown& before, std::int64_t round);
  void check_failure(const Shown& before, std::int64_t round);
  void check_conditions(const Shown& after);
  void check_waiters(std::int64_t last);
  [[nodiscard]] Shown shown_by(const nlohmann::json& primitive) const;
  [[nodiscard]] kube::WallTime not_before(std::int64_t round) const;
  [[nodiscard]] kube::WallTime complete_at(std::int64_t round) const;
  void violated(const std::string& what);

  const RoundsKind& kind_;
  Attendance attendance_;
  ObjectPtr primitive_;                               // as it is
  RoundRules rules_;                                  // as the operator had to see them for the write that is looked at
  kube::WallTime now_;                                // of that write
  std::map<std::int64_t, kube::WallTime> opened_at_;  // of this life, by round
  std::map<std::int64_t, std::int64_t> needed_;       // when that round opened
  std::map<std::int64_t, Answer> answers_;            // to who waits for a round; of this life
  std::vector<std::string> violations_;
  std::uint64_t opened_ = 0, failed_ = 0;
};

}  // namespace konductor::sim
