#pragma once

#include "tests/sim/api_model.hpp"
#include "tests/sim/kind_under_test.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace konductor::sim {

/// Watches every write to the model and says where a promise of the grant protocol is broken. It knows the whole truth:
/// the objects as stored, which Pods live, and which holders believe that they hold.
class Oracle {
 public:
  Oracle(const ApiModel& model, const KindUnderTest& kind) : model_(model), kind_(kind) {}

  void on_commit(const Commit& commit);

  /// Asked whether the holder of the claim with this UID would act as holding now.
  std::function<bool(const std::string& uid)> believes;
  /// Asked for how much longer it would, if nothing else happens; 0 where it does not.
  std::function<std::chrono::microseconds(const std::string& uid)> believes_for;
  /// The resourceVersion up to which the sender of the request in execution saw the claims; 0: not known.
  std::uint64_t senders_view = 0;
  kube::WallTime sent_at;                     // that request
  std::chrono::microseconds sent_elapsed{0};  // likewise
  /// Asked whether that sender waited for an answer about this claim: then it may pass it over, for it may be ending
  /// it.
  std::function<bool(const kube::NamespacedName& claim)> sender_is_busy_with;

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t grants() const { return grants_; }
  [[nodiscard]] std::uint64_t expiries() const { return expiries_; }
  /// Claims of a primitive that hold by their status.
  [[nodiscard]] std::vector<Holding> held(const kube::NamespacedName& primitive) const;
  [[nodiscard]] std::vector<ObjectPtr> waiting(const kube::NamespacedName& primitive) const;
  [[nodiscard]] bool pod_is_dead(const nlohmann::json& claim) const;
  [[nodiscard]] std::chrono::microseconds ttl_of(const nlohmann::json& claim) const;
  /// When the claim last showed life: created, granted or renewed; in elapsed time.
  [[nodiscard]] std::chrono::microseconds last_sign(const std::string& uid) const {
    return last_sign(uid, ~std::uint64_t{0});
  }
  /// In the line of those who wait for this primitive.
  [[nodiscard]] bool comes_before(const nlohmann::json& primitive, const nlohmann::json& claim,
                                  const nlohmann::json& other, kube::WallTime now) const;

  /// A holder reports success: this claim, with this token.
  void on_reported(const std::string& uid, std::int64_t token);
  /// A breach that somebody else found.
  void report(const std::string& what) { violations_.push_back(what); }

 private:
  struct Recorded {
    std::string uid;
    std::int64_t units = 0;
  };
  /// What is known of all lives of a primitive's name.
  struct History {
    std::int64_t highest_token = 0;
    std::map<std::int64_t, Recorded> recorded;
    ObjectPtr at_last_grant;        // the primitive as its last record with new grants left it
    ObjectPtr before_last;          // the primitive as it was before its last write
    std::int64_t consumed = 0;      // of this life
    std::vector<ObjectPtr> specs;   // with each spec of this life, in order
    std::uint64_t lives_since = 0;  // revision of its creation, or of its deletion
  };

  [[nodiscard]] static std::chrono::microseconds ttl_under(const nlohmann::json& claim, const ObjectPtr& primitive);
  void on_primitive(const Commit& commit);
  void on_record(const Commit& commit, const std::vector<nlohmann::json>& added);
  void check_order(const Commit& commit, const std::vector<nlohmann::json>& added);
  [[nodiscard]] std::int64_t priority_of(const nlohmann::json& primitive, const nlohmann::json& claim,
                                         kube::WallTime now) const;
  void check_dropped(const Commit& commit);
  void on_claim(const Commit& commit);
  void on_told(const Commit& commit);
  void check_belief(const Commit& commit);
  void check_stroke(const Commit& commit, const std::string& uid);
  void check_denial(const Commit& commit);
  void on_freed(const Commit& commit, const std::string& to_phase);
  void violated(const Commit& commit, const std::string& what);
  [[nodiscard]] ObjectPtr claim_of(const nlohmann::json& entry) const;
  [[nodiscard]] kube::NamespacedName primitive_of(const nlohmann::json& claim) const;
  /// When the claim last showed life to who saw everything up to `revision`.
  [[nodiscard]] std::chrono::microseconds last_sign(const std::string& uid, std::uint64_t revision) const;

  const ApiModel& model_;
  const KindUnderTest& kind_;
  std::map<kube::NamespacedName, History> histories_;
  struct Sign {
    std::uint64_t revision = 0;
    std::chrono::microseconds elapsed{0};
  };

  std::map<std::string, std::vector<Sign>> signs_;   // of a claim, by UID: created, granted or renewed
  std::map<std::string, std::uint64_t> created_at_;  // revision, by UID
  std::map<std::string, std::int64_t> told_;         // token, by UID
  /// From when it asks to when it has ended, of a claim.
  struct Life {
    kube::NamespacedName primitive;
    std::uint64_t ended = ~std::uint64_t{0};  // revision
  };
  std::map<std::string, Life> lives_;  // by UID
  /// Who did something, and when it sent that.
  struct Act {
    std::string actor;
    std::chrono::microseconds sent{0};
    bool operator==(const Act&) const = default;
  };
  std::map<std::string, Act> recorded_by_;  // by UID of the claim
  std::map<std::string, Act> ended_by_;     // likewise
  std::vector<std::string> violations_;
  std::uint64_t grants_ = 0;
  std::uint64_t expiries_ = 0;
};

std::string phase_of(const nlohmann::json& claim);
bool is_held_phase(const std::string& phase);
bool is_terminal_phase(const std::string& phase);
std::string text_in(const nlohmann::json& object, const char* section, const char* key);

}  // namespace konductor::sim
