#pragma once

#include "kondctl/dialogue.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace konductor::kondctl {

struct RunSettings {
  Duration stop_grace = std::chrono::seconds{10};        // from SIGTERM to SIGKILL, where the TTL leaves that much
  Duration hurry_grace = std::chrono::seconds{2};        // from the second SIGINT to SIGKILL
  Duration release_time = std::chrono::seconds{10};      // the most that giving the claim back may take
  Duration lost_release_time = std::chrono::seconds{2};  // the same after the claim was lost
};

/// When the command is stopped, unless a renewal is answered before. All of it lies before the claim is lost.
struct StopTimes {
  MonoTime terminate;  // SIGTERM
  MonoTime kill;       // SIGKILL
  MonoTime guard;      // SIGKILL by the guard, where nobody else has done it
};
[[nodiscard]] StopTimes stop_times(MonoTime lost_at, Duration ttl, Duration stop_grace) noexcept;

/// What happened.
struct TimeCame {};  // also the start
struct CommandStarted {};
struct CommandNotStarted {
  int code = 127;  // as a shell says it: 126 can't be executed, 127 not found
  std::string why;
};
struct CommandEnded {
  int code = 0;    // its own, or 128+n
  int signal = 0;  // that ended it
};
struct SignalCame {
  int number = 0;
};
struct ClaimRenewed {
  MonoTime lost_at;
};
struct ClaimLost {
  std::string why;
  MonoTime stop_by;
};
struct ClaimReleased {
  std::string problem;  // empty: it is given back
};
using RunEvent = std::variant<TimeCame, CommandStarted, CommandNotStarted, CommandEnded, SignalCame, ClaimRenewed,
                              ClaimLost, ClaimReleased>;

/// What to do next, in this order.
struct StartCommand {};
struct SignalCommand {
  int number = 0;  // to its whole group
};
struct TellGuard {
  MonoTime kill_at;  // unless it is told another time
};
struct ReleaseClaim {
  MonoTime until;
};
struct Exit {
  int code = 0;
};
using RunAction = std::variant<TellGuard, StartCommand, SignalCommand, ReleaseClaim, Exit>;

struct RunStep {
  std::vector<RunAction> actions;
  std::vector<std::string> notes;   // worth knowing
  std::vector<std::string> errors;  // why the exit code is not the command's
  std::optional<MonoTime> wake_at;  // send TimeCame then
};

/// Runs a command for as long as a claim is held, and stops it before that is over.
class RunMachine {
 public:
  /// `lost_at`: when the claim is lost, unless it is renewed; it then lasts for a `ttl`.
  RunMachine(RunSettings settings, Duration ttl, MonoTime lost_at);

  [[nodiscard]] RunStep resume(const RunEvent& event, MonoTime now);

 private:
  enum class Stage {
    starting,
    running,
    stopping,   // told to end by us, because of the claim; the exit code is settled
    releasing,  // the command has ended
    finished
  };

  void on(const TimeCame&) {}
  void on(const CommandStarted& event);
  void on(const CommandNotStarted& event);
  void on(const CommandEnded& event);
  void on(const SignalCame& event);
  void on(const ClaimRenewed& event);
  void on(const ClaimLost& event);
  void on(const ClaimReleased& event);

  void check_time();
  void stop(const std::string& why, MonoTime kill_at);
  void kill();
  void release(int code);
  void exit();
  void interrupt();
  [[nodiscard]] bool command_runs() const { return stage_ == Stage::running || stage_ == Stage::stopping; }
  [[nodiscard]] std::optional<MonoTime> next_wake() const;

  RunSettings settings_;
  Duration ttl_;
  MonoTime lost_at_;
  StopTimes times_;
  RunStep step_;
  MonoTime now_;

  Stage stage_ = Stage::starting;
  std::optional<MonoTime> kill_at_;  // of a command that was told to end
  bool told_start_ = false;
  bool killed_ = false;
  bool lost_ = false;
  int interrupts_ = 0;
  int code_ = 0;
};

}  // namespace konductor::kondctl
