#pragma once

#include "tests/sim/kind_under_test.hpp"
#include "tests/sim/view_feed.hpp"
#include "tests/sim/world.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
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
  std::int64_t units = 1;
  std::int64_t priority = 0;
  bool wait = true;
  Duration ttl{0};  // 0: the primitive's
  Duration hold{0};
  End end = End::release;
  int attempts = 3;  // asks again after a claim that ended otherwise
};

/// A holder that follows design.md section 2, "Time": it trusts its own clock, counts from before it sent, renews at a
/// third of its TTL and acts as having lost its claim when that is over.
class SimClient {
 public:
  SimClient(World& world, const KindUnderTest& kind, ClientPlan plan);

  void start();
  void on_commit(const Commit& commit);

  /// Whether it acts as holding now the claim with this UID.
  [[nodiscard]] bool believes(const std::string& uid) const;
  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] bool was_served() const { return served_; }
  [[nodiscard]] std::string describe() const;

 private:
  enum class State { asking, waiting, confirming, holding, releasing, done };

  void ask();
  void create();
  void on_created(const Result<kube::Response>& answer, Duration sent);
  void adopt();
  void on_seen(const nlohmann::json& claim);
  void look_at_grant(const nlohmann::json& claim);
  void hold(Duration from);
  void renew();
  void on_renewed(const Result<kube::Response>& answer, Duration sent);
  void schedule_renewal();
  void end_hold();
  void release();
  void stop();
  void try_again();
  void make_pod();
  void end_pod();
  /// Runs `what` unless this attempt is over by then.
  void later(Duration delay, void (SimClient::*what)());
  [[nodiscard]] nlohmann::json claim_object() const;
  [[nodiscard]] kube::NamespacedName claim_name() const;

  World& world_;
  const KindUnderTest& kind_;
  ClientPlan plan_;
  std::string actor_;
  State state_ = State::asking;
  std::unique_ptr<ViewFeed> feed_;
  int attempt_ = 0;
  std::uint64_t choice_ = 0;
  std::string pod_uid_;
  std::string uid_;
  std::int64_t token_ = 0;
  Duration ttl_{0};
  Duration not_granted_at_{0};  // when the last request was sent whose answer showed that it does not hold yet
  Duration hold_until_{0};
  bool served_ = false;
  bool silent_ = false;
  bool listed_ = false;  // the claim was in the list that is under way
};

}  // namespace konductor::sim
