#pragma once

#include "tests/sim/kinds.hpp"
#include "tests/sim/oracle.hpp"
#include "tests/sim/sim_operator.hpp"
#include "tests/sim/world.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace konductor::sim {

/// A story that random worlds hardly ever tell. A leader records a grant and stops before it tells it. Meanwhile the
/// primitive is deleted and made again within the same second, and another operator, which sees only the new life,
/// leads. The claim of the late tell is called "early", the one that comes first in the new life "urgent".
class StaleLeader {
 public:
  enum class Early {
    at_once,         // recorded as soon as it was there, so that nothing was written to it
    after_a_holder,  // it waited in the former life, and carries the mark of that
    newer_by_time,  // unmarked, and by its time newer also than the second life, for which the server's clock goes back
  };

  StaleLeader(std::uint64_t seed, Early early);

  void run();
  void run_for(Duration time);
  void release(const std::string& claim);

  /// Null where it is gone.
  [[nodiscard]] ObjectPtr claim(const std::string& name) const;
  [[nodiscard]] const SimOperator& stale() const { return *operators_.front(); }
  [[nodiscard]] const Oracle& oracle() const { return oracle_; }
  [[nodiscard]] const ObjectPtr& first_life() const { return first_life_; }
  [[nodiscard]] const ObjectPtr& second_life() const { return second_life_; }
  [[nodiscard]] bool is_second_life() const { return second_life_ != nullptr; }

 private:
  void see(const Commit& commit);
  void begin_second_life();
  ObjectPtr make_primitive();
  void make_claim(const std::string& name, std::int64_t priority);

  const KindUnderTest kind_ = semaphore_kind();
  Early early_;
  World world_;
  Oracle oracle_;
  std::vector<std::unique_ptr<SimOperator>> operators_;
  ObjectPtr first_life_;
  ObjectPtr second_life_;
  bool recorded_ = false;
};

}  // namespace konductor::sim
