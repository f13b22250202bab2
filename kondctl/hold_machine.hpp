#pragma once

#include "kondctl/claim_codec.hpp"
#include "kondctl/claim_machine.hpp"
#include "kondctl/dialogue.hpp"
#include "kondctl/retry_delay.hpp"
#include "kondctl/watch_turn.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace konductor::kondctl {

/// A claim that was granted, and until when that is certain.
struct HeldClaim {
  const runtime::KindDeclaration* kind = nullptr;  // must outlive the machine
  kube::NamespacedName primitive;
  kube::NamespacedName claim;
  bool of_pod = false;  // it goes with its Pod
  ClaimOutcome::Grant grant;
};

/// It is held no longer, or not for long.
struct Loss {
  std::string why;   // for people
  MonoTime stop_by;  // whoever relies on it must have stopped by then
};

struct HoldStep : DialogueStep {
  std::optional<MonoTime> lost_at;  // a renewal was answered: it is held until then
  std::optional<Loss> loss;         // at most once; nothing is renewed any more
  bool finished = false;            // what release() asked for is over
  std::string problem;              // why it may be left behind
};

/// Keeps one claim: renews it at a third of its TTL, watches what becomes of it, gives it back in the end. What it says
/// of its time counts from before the sending of a renewal whose answer showed the same grant.
class HoldMachine {
 public:
  HoldMachine(HeldClaim held, DialogueSettings settings, MonoTime now);

  [[nodiscard]] HoldStep resume(const DialogueEvent& event, Now now);
  /// To be given back, in the resume that follows; tried until then.
  void release(MonoTime until);
  [[nodiscard]] MonoTime lost_at() const { return lost_at_; }

 private:
  enum class Stage {
    holding,
    lost,       // what is left to do is release()
    releasing,  // DELETE, again and again
    finished
  };
  struct InFlight {
    std::uint64_t id = 0;
    MonoTime sent;
  };

  void on(const Woken&) {}
  void on(const Signalled&) {}
  void on(const Answered& event);
  void on(const ObjectSeen& event);
  void on(const ObjectGone& event);
  void on(const WatchEnded& event);
  void on_renewal(const Result<nlohmann::json>& answer, MonoTime sent);
  void on_look(const Result<nlohmann::json>& answer);
  void on_removal(const Result<nlohmann::json>& answer);

  void observe(const ClaimView& view);
  void renewed(const ClaimView& view, MonoTime sent);
  void lose(std::string why, MonoTime stop_by, bool gone);
  void finish(const std::string& problem);
  void pump();
  void keep_watching(const std::string& resource_version);
  [[nodiscard]] MonoTime next_renewal(MonoTime sent);
  [[nodiscard]] std::optional<MonoTime> next_wake() const;
  [[nodiscard]] Duration ttl() const { return held_.grant.ttl; }
  [[nodiscard]] std::string doing(const std::string& verb) const;
  [[nodiscard]] std::string subject() const;

  HeldClaim held_;
  DialogueSettings settings_;
  RetryDelay delay_;
  WatchTurn watch_;
  HoldStep step_;
  Now now_;

  Stage stage_ = Stage::holding;
  MonoTime lost_at_;
  MonoTime renew_at_;
  InFlight renewal_, look_, removal_;
  std::uint64_t last_id_;
  std::string shown_renew_time_;
  runtime::WallTime renewed_;
  std::optional<Error> last_error_;  // of renewals, since the last one that succeeded
  bool must_look_ = false;
  bool gone_ = false;  // there is nothing to give back
  MonoTime remove_at_;
  MonoTime give_up_at_;
};

}  // namespace konductor::kondctl
