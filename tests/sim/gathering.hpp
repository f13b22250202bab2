#pragma once

#include "tests/sim/crew.hpp"
#include "tests/sim/workers.hpp"
#include "tests/sim/world.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace konductor::sim {

/// A kind that counts participants.
struct CountingKind {
  runtime::KindDeclaration declaration;
  std::function<nlohmann::json(std::int64_t expected)> spec;
  std::optional<WallTime> deadline = {};  // who came until then was in time
  std::optional<Duration> patience = {};  // or so long after the first
};

/// One primitive of such a kind, to which participants come from Jobs, some of them in one Pod after the other, beside
/// operators and a network to which everything happens. An oracle that knows who each Pod is looks at every write: the
/// primitive opens once for good, by one write, never before enough participants came and were written down; and who a
/// claim stands for is written down right, and once.
class Gathering {
 public:
  Gathering(const CountingKind& kind, std::uint64_t seed);

  /// From turbulence to rest. What was broken.
  std::vector<std::string> run();

  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::uint64_t found_out() const { return found_out_; }
  [[nodiscard]] std::uint64_t crashes() const { return crew_.crashes(); }
  [[nodiscard]] std::uint64_t retries() const { return retries_; }

 private:
  void make_primitive();
  void invite();
  void arrive(int participant, int attempt);
  void leave(const std::string& pod);
  void disturb();
  void quieten();
  void see(const Commit& commit);
  void see_primitive(const Commit& commit);
  void see_claim(const Commit& commit);
  void see_failure(const Commit& commit);
  void check_rest();
  void violated(const std::string& what);
  [[nodiscard]] std::set<std::string> there() const;

  const CountingKind& kind_;
  World world_;
  Rng chaos_;
  Workers workers_;
  Crew crew_;
  std::int64_t expected_ = 1;
  int participants_ = 1;
  std::string uid_;                                    // of the primitive in its present life
  std::map<std::string, std::string> truth_;           // who each claim stands for, by its name
  std::map<std::string, std::set<std::string>> came_;  // participants by UID of the primitive
  std::map<std::string, WallTime> first_;              // when the first came to it, by its UID
  std::vector<std::string> violations_;
  bool turbulent_ = true;
  bool opened_ = false, failed_ = false;
  std::uint64_t found_out_ = 0, retries_ = 0;
};

}  // namespace konductor::sim
