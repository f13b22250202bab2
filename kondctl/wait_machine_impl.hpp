#pragma once

#include "kondctl/retry_delay.hpp"
#include "kondctl/wait_machine.hpp"

#include <string>

namespace konductor::kondctl {

/// The inside of WaitMachine; wait_machine.cpp has its flow, wait_words.cpp what it says.
class WaitMachine::Impl {
 public:
  Impl(WaitWish wish, DialogueSettings settings, MonoTime started);

  WaitStep resume(const DialogueEvent& event, Now now);

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
  void on(const ObjectSeen& event);
  void on(const ObjectGone& event);
  void on(const WatchEnded& event);
  void on(const Signalled& event);

  // Answers, by what was asked.
  void on_look_up(const Result<nlohmann::json>& answer);
  void on_create(const Result<nlohmann::json>& answer);
  void on_inspect(const Result<nlohmann::json>& answer);
  void on_remove(const Result<nlohmann::json>& answer);
  void on_check(const Result<nlohmann::json>& answer);
  void settle_existing(const nlohmann::json& object, const ClaimView& view);

  // The flow.
  const nlohmann::json* found_in(const nlohmann::json& answer);
  void present(std::shared_ptr<const nlohmann::json> object);
  void absent();
  void join();
  void joined(const ClaimView& view, bool adopted);
  void judge();
  void tell_progress();
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

  bool by_get_;              // looks the primitive up by GET
  bool polling_ = false;     // no watch is allowed
  std::string version_;      // of the last look-up: a watch from here on misses nothing
  std::uint64_t watch_ = 0;  // 0: none runs
  MonoTime watch_since_;
  MonoTime refresh_at_;
  Duration poll_delay_;

  std::optional<Seen> primitive_;
  std::string life_;  // UID of the primitive that is waited for, or was joined; another one is not it
  WaitVerdict verdict_;

  std::optional<runtime::WallTime> requested_at_;  // also how our own claim is known after a lost answer
  bool unsure_ = false;                            // a create was sent whose answer is missing
  std::optional<runtime::Claim> in_the_way_;       // of a former life of the primitive, it seems
  std::optional<runtime::Claim> over_;             // the one to remove
  int rounds_ = 0;                                 // of finding another claim in the way
  bool claim_gone_ = false;
  std::optional<MonoTime> check_at_;
  Duration check_delay_;

  std::optional<Error> last_error_;
  std::optional<MonoTime> failing_since_, silent_since_;
  bool said_unreachable_ = false, said_silent_ = false, said_missing_ = false;
  std::string said_progress_, said_doubt_;
};

}  // namespace konductor::kondctl
