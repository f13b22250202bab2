#pragma once

#include "tests/sim/kind_under_test.hpp"
#include "tests/sim/sim_acquire.hpp"
#include "tests/sim/world.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace konductor::sim {

/// How a holder behaves.
struct ClientPlan {
  enum class End {
    release,  // gives its place back
    silent,   // stops for good without a word, its Pod stays
    finish,   // its Pod finishes without a release
    vanish    // its Pod is deleted
  };
  int number = 0;
  kube::NamespacedName primitive;
  bool in_pod = false;
  bool lasting = false;  // outside of a Pod: asks again by the same name, as with --holder
  std::int64_t units = 1;
  std::int64_t priority = 0;
  bool wait = true;
  Duration ttl{0};  // 0: the primitive's
  Duration hold{0};
  std::optional<Duration> timeout;         // --timeout
  std::optional<Duration> crash_after;     // the first acquire dies so long after its start, and is started again
  std::optional<Duration> interrupted_at;  // the first acquire gets SIGINT so long after its start
  End end = End::release;
  int attempts = 3;  // asks again after one that ended otherwise
};

/// A workload: it acquires by kondctl's own machine, then holds by design.md section 2, "Time": it trusts its own
/// clock, renews at a third of its TTL and acts as having lost its claim when that is over.
class SimClient {
 public:
  SimClient(World& world, const KindUnderTest& kind, ClientPlan plan);

  void start() { ask(); }
  void on_commit(const Commit& commit);
  /// The process dies at whatever it does, and is started again: by the same claim name where it has a lasting one.
  void crash();
  /// Its Pod is deleted; the process dies with it, or is on a node that nobody reaches and goes on.
  void lose_pod(bool process_lives);
  void jump_clock(Duration by);
  [[nodiscard]] const std::string& actor() const { return actor_; }
  [[nodiscard]] bool started() const { return attempt_ > 0; }
  [[nodiscard]] bool has_pod() const { return !pod_uid_.empty(); }

  /// Told of each grant when the process learns of it.
  std::function<void(const SimClient&, const std::string& uid, std::int64_t token)> on_grant;

  /// Whether it acts as holding now the claim with this UID.
  [[nodiscard]] bool believes(const std::string& uid) const { return believes_for(uid) > Duration{0}; }
  /// For how much longer, if nothing else happens.
  [[nodiscard]] Duration believes_for(const std::string& uid) const;
  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] bool was_served() const { return served_; }
  [[nodiscard]] std::string describe() const;

 private:
  enum class State { asking, holding, releasing, done };

  void ask();
  void acquire();
  void interrupt();
  void on_acquired(const kondctl::ClaimOutcome& outcome);
  void renew();
  void note_shown_renewal();
  WallTime next_renew_time();
  void on_renewed(const Result<kube::Response>& answer, Duration sent);
  void end_hold();
  void release();
  void stop();
  void try_again();
  void make_pod();
  void end_pod();
  /// Runs `what` unless the process, or this attempt of it, is over by then.
  void later(Duration delay, void (SimClient::*what)());
  [[nodiscard]] kondctl::ClaimWish wish() const;
  [[nodiscard]] std::string pod_name() const { return "pod-" + std::to_string(plan_.number); }
  [[nodiscard]] kube::NamespacedName claim_name() const;

  World& world_;
  const KindUnderTest& kind_;
  ClientPlan plan_;
  std::string actor_;
  State state_ = State::asking;
  std::unique_ptr<SimAcquire> acquire_;
  SimClock clock_;
  int attempt_ = 0;
  int slot_ = 0;            // of a claim without a lasting name
  std::uint64_t life_ = 0;  // counts up with each attempt and each crash
  std::uint64_t choice_ = 0;
  std::uint64_t seed_ = 0;  // of the machines' jitter
  std::string pod_uid_;
  std::string uid_;
  std::int64_t token_ = 0;
  WallTime renewed_;
  Duration ttl_{0};
  Duration hold_until_{0};
  bool served_ = false;
  bool silent_ = false;
};

}  // namespace konductor::sim
