#pragma once

#include "kondctl/claim_codec.hpp"
#include "kondctl/dialogue.hpp"
#include "kondctl/exit_codes.hpp"
#include "kondctl/progress.hpp"
#include "kondctl/retry_delay.hpp"
#include "kondctl/wait_verdict.hpp"
#include "kondctl/watch_turn.hpp"
#include "kube/object_meta.hpp"

#include <memory>
#include <optional>
#include <string>

namespace konductor::kondctl {

/// What shall be waited for, and what is done before.
struct WaitWish {
  const runtime::KindDeclaration* kind = nullptr;  // must outlive the wish
  kube::NamespacedName primitive;
  Round round;
  std::string round_flag;         // how the user names one: "--round"
  std::optional<ClaimWish> join;  // this claim shall be there first, and stays
  bool wait = true;               // false: only join
};

/// "widget team/q", for people.
[[nodiscard]] std::string subject_of(const WaitWish& wish);

/// What it came to.
struct WaitOutcome {
  ExitCode code = ExitCode::failed;
  std::string message;  // for people; empty when all went well
  struct Joined {
    std::string uid;
    bool adopted = false;  // it was there before: the same participant came again
  };
  std::optional<Joined> joined;  // where the claim is there
  bool served = false;
  std::string phase;  // of the primitive, when it was last seen
  std::string words;  // of the condition that says why
};

struct WaitStep : DialogueStep {
  std::optional<WaitOutcome> finish;  // it is over; nothing else here counts
};

/// Creates a claim that is only counted (or finds that it is there already), watches the primitive by its name, or does
/// both, until the primitive's status says that the wait is over. Nothing is withdrawn: who has joined has joined.
class WaitMachine {
 public:
  using Outcome = WaitOutcome;

  WaitMachine(WaitWish wish, DialogueSettings settings, MonoTime started);

  [[nodiscard]] WaitStep resume(const DialogueEvent& event, Now now);

 private:
  /// What the one request is for.
  enum class Ask {
    none,
    look_up,  // LIST the primitive by its name, or GET it where that is not allowed, or nothing is waited for
    create,   // POST the claim
    inspect,  // GET the claim that is in the way: is it ours?
    remove,   // DELETE that one: it is over, or of a former life of the primitive
    check     // GET our claim: is it denied, or gone?
  };
  struct Seen {
    std::shared_ptr<const nlohmann::json> object;
    kube::ObjectMeta meta;
  };

  // Events.
  void on(const Woken&) {}
  void on(const Answered& event);
  void on(const Signalled& event);

  // Events of the watch.
  void on(const ObjectSeen& event);
  void on(const ObjectGone& event);
  void on(const WatchEnded& event);

  // Answers, by what was asked.
  void on_look_up(const Result<nlohmann::json>& answer);
  void on_create(const Result<nlohmann::json>& answer);
  void on_inspect(const Result<nlohmann::json>& answer);
  void on_remove(const Result<nlohmann::json>& answer);
  void on_check(const Result<nlohmann::json>& answer);
  [[nodiscard]] Result<ClaimView> view_in(const Result<nlohmann::json>& answer) const;
  void settle_existing(const nlohmann::json& object, const ClaimView& view);

  // The flow.
  const nlohmann::json* found_in(const nlohmann::json& answer);
  void present(std::shared_ptr<const nlohmann::json> object);
  void absent();
  void join();
  void joined(const ClaimView& view, bool adopted);
  void judge();
  void note_progress();
  void refused(const ClaimView& view);
  [[nodiscard]] bool over() const { return finished_; }
  [[nodiscard]] bool idle() const { return request_ == 0 && next_ == Ask::none; }
  [[nodiscard]] bool has_to_join() const { return wish_.join && !outcome_.joined; }
  void plan(Ask ask, MonoTime at);
  void try_again(Ask ask, const Error& error);
  void check_time();
  void pump();
  void send(Ask ask);
  void start_watch();
  [[nodiscard]] kube::Request request_for(Ask ask) const;
  [[nodiscard]] std::optional<MonoTime> next_wake() const;

  // The end.
  void fail(const Error& error);
  void finish(ExitCode code, std::string message);

  // Words.
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] std::string waiting() const;
  [[nodiscard]] std::string why_not_yet() const;
  [[nodiscard]] std::string what_stays() const;
  [[nodiscard]] std::string why_not_round() const;
  [[nodiscard]] std::string why_failed() const;
  [[nodiscard]] std::string doing(Ask ask) const;
  void note_once(bool& said, std::string text);

  WaitWish wish_;
  DialogueSettings settings_;
  MonoTime started_;
  RetryDelay delay_;
  WaitStep step_;
  Now now_;
  WaitOutcome outcome_;
  bool finished_ = false;

  Ask next_ = Ask::look_up;
  MonoTime next_at_;
  Ask asked_ = Ask::none;
  std::uint64_t request_ = 0;  // under way; 0: none
  std::uint64_t last_id_ = 0;

  bool by_get_;          // looks the primitive up by GET
  std::string version_;  // of the last look-up: a watch from here on misses nothing
  WatchTurn watch_;

  std::optional<Seen> primitive_;
  std::string life_;  // UID of the primitive that is waited for, or was joined; another one is not it
  WaitVerdict verdict_;

  std::optional<runtime::WallTime> requested_at_;  // also how our own claim is known after a lost answer
  bool unsure_ = false;                            // a create was sent whose answer is missing
  std::optional<runtime::Claim> in_the_way_;       // of a former life of the primitive, it seems
  std::optional<runtime::Claim> over_;             // the one to remove
  int rounds_ = 0;                                 // of finding another claim in the way
  bool claim_gone_ = false;
  bool missing_ = false;  // the primitive, when it was last looked for
  std::optional<MonoTime> check_at_;
  Duration check_delay_;

  std::optional<Error> last_error_;
  std::optional<MonoTime> failing_since_, silent_since_;
  bool said_unreachable_ = false, said_silent_ = false;
  std::string said_doubt_;
  Progress progress_;
};

}  // namespace konductor::kondctl
