#pragma once

#include "kondctl/claim_machine.hpp"
#include "kondctl/progress.hpp"
#include "kondctl/retry_delay.hpp"
#include "kondctl/watch_turn.hpp"

#include <string>
#include <string_view>

namespace konductor::kondctl {

/// The inside of ClaimMachine; claim_machine.cpp has its flow, claim_ending.cpp how it ends, claim_line.cpp
/// its place in line.
class ClaimMachine::Impl {
 public:
  Impl(ClaimWish wish, ClaimSettings settings, MonoTime started);

  ClaimStep resume(const DialogueEvent& event, Now now);

 private:
  enum class Stage {
    starting,     // until the claim is there
    waiting,      // it is there; a watch (or polling) tells what becomes of it
    withdrawing,  // it shall go, `verdict_` stands
    finished
  };
  /// What becomes of our claim at the end.
  enum class Left { nothing, gone, perhaps };
  /// What the one main request is for.
  enum class Ask {
    none,
    look_up,     // GET the primitive
    create,      // POST the claim
    look_again,  // GET the primitive while the claim waits: does it say why nobody answers?
    inspect,     // GET the claim: is it ours?
    remove,      // DELETE a former one of the same name
    refresh,     // GET the claim after its watch ended
    line,        // LIST the claims of the primitive, beside all else: what is our place among them?
    confirm,     // renew, and see that it still holds, before success is reported
    withdraw     // DELETE ours
  };
  struct InFlight {
    std::uint64_t id = 0;
    Ask ask = Ask::none;
    MonoTime sent;
  };

  // Events.
  void on(const Woken&) {}
  void on(const Answered& event);
  void on(const ObjectSeen& event);
  void on(const ObjectGone& event);
  void on(const WatchEnded& event);
  void on(const Signalled& event);

  // Answers, by what was asked.
  [[nodiscard]] Result<nlohmann::json> classified(const Answered& event, Ask asked) const;
  void on_look_up(const Result<nlohmann::json>& answer);
  void on_look_again(const Result<nlohmann::json>& answer);
  void on_create(const Result<nlohmann::json>& answer, MonoTime sent);
  void on_inspect(const Result<nlohmann::json>& answer, MonoTime sent);
  void on_remove(const Result<nlohmann::json>& answer);
  void on_refresh(const Result<nlohmann::json>& answer, MonoTime sent);
  void on_confirm(const Result<nlohmann::json>& answer, MonoTime sent);
  void on_renewal(const Result<nlohmann::json>& answer, MonoTime sent);
  void on_line(const Result<nlohmann::json>& answer);
  void on_withdrawing(Ask asked, const Result<nlohmann::json>& answer);
  void settle_existing(const nlohmann::json& object, const ClaimView& view, MonoTime sent);

  // The flow.
  void plan(Ask ask, MonoTime at);
  void try_again(Ask ask, const Error& error);
  void enter_waiting(const ClaimView& view, MonoTime sent);
  void observe(const ClaimView& view, std::optional<MonoTime> sent);
  void observe_waiting(const ClaimView& view, std::optional<MonoTime> sent);
  void hold();
  void replace(const runtime::Claim& old);
  void decided_against(const ClaimView& view);
  void deleted_by_somebody();
  void check_time();
  void pump();
  void send_main(Ask ask);
  kube::Request request_for(Ask ask);
  [[nodiscard]] kube::Request line_request() const;
  std::string doing(Ask ask) const;
  void send_renewal();
  void tell_progress();
  void keep_watching();
  [[nodiscard]] std::optional<MonoTime> next_wake() const;
  std::uint64_t send(kube::Request request);

  // The end.
  void succeed(MonoTime lost_at);
  void fail(const Error& error);
  void out_of_patience();
  void give_up(ExitCode code, std::string message, MonoTime until);
  void withdrawn(Left left);
  void look_again();
  void finish(ClaimOutcome outcome);

  // Words, and what else is derived.
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] std::string waiting_words() const;
  [[nodiscard]] std::string progress_words() const;
  [[nodiscard]] std::string why_not_yet() const;
  [[nodiscard]] std::string why_silent() const;
  [[nodiscard]] std::string what_is_left() const;
  [[nodiscard]] std::string how_to_release() const;
  [[nodiscard]] std::optional<MonoTime> patient_until() const;
  [[nodiscard]] Duration effective_ttl() const;
  void note_once(bool& said, std::string text);

  ClaimWish wish_;
  ClaimSettings settings_;
  MonoTime started_;
  RetryDelay delay_;
  ClaimStep step_;
  Now now_;

  Stage stage_ = Stage::starting;
  Ask next_ = Ask::look_up;
  MonoTime next_at_;
  InFlight main_;
  InFlight renewal_;
  InFlight line_;
  std::uint64_t last_id_ = 0;
  WatchTurn watch_;

  std::optional<runtime::WallTime> requested_at_;  // also how our own claim is known after a lost answer
  bool unsure_ = false;                            // a create was sent whose answer is missing
  bool adopted_ = false;                           // it was there before
  bool replace_when_over_ = false;
  bool found_holding_ = false;       // and it held
  bool looked_again_ = false;        // at the primitive
  bool withdrawal_refused_ = false;  // by the server
  runtime::Claim old_;               // the one to remove
  int rounds_ = 0;                   // of inspecting
  Duration primitive_ttl_{0};
  std::string not_ready_;  // what the primitive said against itself when it was last looked at

  std::optional<ClaimView> view_;           // set while waiting
  std::optional<MonoTime> not_granted_at_;  // when the last request was sent whose answer showed it not granted
  runtime::WallTime renewed_;               // as the last renewal said
  std::optional<MonoTime> renew_at_;        // outside of pods
  std::optional<Error> last_error_;
  bool said_unreachable_ = false, said_silent_ = false, said_no_renewal_ = false;
  Progress progress_;
  std::shared_ptr<const nlohmann::json> primitive_;  // as it was looked up
  std::optional<MonoTime> line_at_;                  // when to ask for the line, if at all
  std::string place_;                                // in it, in words

  ClaimOutcome verdict_;       // while withdrawing
  std::string no_withdrawal_;  // why that has not succeeded yet
  MonoTime give_up_at_;
};

}  // namespace konductor::kondctl
