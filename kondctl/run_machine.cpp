#include "kondctl/run_machine.hpp"

#include "kondctl/exit_codes.hpp"
#include "kube/time.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace konductor::kondctl {

namespace {

constexpr int signal_base = 128;
constexpr int lost_code = static_cast<int>(ExitCode::lost);

bool asks_to_end(int number) {
  return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

}  // namespace

StopTimes stop_times(MonoTime lost_at, Duration ttl, Duration stop_grace) noexcept {
  const auto margin = std::clamp<Duration>(ttl / 20, std::chrono::milliseconds{20}, std::chrono::seconds{1});
  const Duration grace = std::min(stop_grace, ttl / 3);  // renewals need their time too
  return {.terminate = lost_at - margin - grace, .kill = lost_at - margin, .guard = lost_at - margin / 2};
}

RunMachine::RunMachine(RunSettings settings, Duration ttl, MonoTime lost_at)
    : settings_(settings), ttl_(ttl), lost_at_(lost_at), times_(stop_times(lost_at, ttl, settings.stop_grace)) {}

RunStep RunMachine::resume(const RunEvent& event, MonoTime now) {
  step_ = {};
  now_ = now;
  if (stage_ == Stage::finished) return {};
  std::visit([this](const auto& one) { on(one); }, event);
  check_time();
  step_.wake_at = next_wake();
  return std::exchange(step_, {});
}

// ---- events

void RunMachine::on(const CommandStarted&) {
  if (stage_ == Stage::starting) stage_ = Stage::running;
}

void RunMachine::on(const CommandNotStarted& event) {
  if (stage_ != Stage::starting) return;
  step_.errors.push_back(event.why);
  release(event.code);
}

void RunMachine::on(const CommandEnded& event) {
  if (!command_runs()) return;
  // We were frozen for so long that the guard had to do it.
  if (stage_ == Stage::running && event.signal == SIGKILL && now_ >= times_.guard) {
    lost_ = true;
    step_.errors.push_back("the claim is lost: it was not renewed in time, and the guard killed the command");
  }
  release(lost_ ? lost_code : event.code);
}

void RunMachine::on(const SignalCame& event) {
  if (stage_ == Stage::starting) {
    if (asks_to_end(event.number)) release(signal_base + event.number);
    return;
  }
  if (stage_ == Stage::releasing) {
    if (event.number == SIGINT && ++interrupts_ > 1) exit();
    return;
  }
  step_.actions.emplace_back(SignalCommand{event.number});
  if (event.number == SIGINT) interrupt();
}

void RunMachine::on(const ClaimRenewed& event) {
  if (event.lost_at <= lost_at_) return;
  lost_at_ = event.lost_at;
  times_ = stop_times(lost_at_, ttl_, settings_.stop_grace);
  if (stage_ == Stage::starting || command_runs()) step_.actions.emplace_back(TellGuard{times_.guard});
}

void RunMachine::on(const ClaimLost& event) {
  if (stage_ == Stage::starting) {
    lost_ = true;
    step_.errors.push_back("lost before the command was started: " + event.why);
    return release(lost_code);
  }
  if (!command_runs()) return;
  const StopTimes times = stop_times(std::min(event.stop_by, lost_at_), ttl_, settings_.stop_grace);
  step_.actions.emplace_back(TellGuard{std::max(times.guard, now_)});
  stop("the claim is lost: " + event.why, std::min(times.kill, now_ + settings_.stop_grace));
}

void RunMachine::on(const ClaimReleased& event) {
  if (stage_ != Stage::releasing) return;
  if (!event.problem.empty()) step_.notes.push_back(event.problem);
  exit();
}

// ---- what follows

void RunMachine::check_time() {
  if (stage_ == Stage::starting && !told_start_) {
    if (now_ >= times_.terminate) return on(ClaimLost{"its time is almost over", lost_at_});
    told_start_ = true;
    step_.actions.emplace_back(TellGuard{times_.guard});
    step_.actions.emplace_back(StartCommand{});
    return;
  }
  if (stage_ == Stage::running && now_ >= times_.terminate) {
    stop("the claim could not be renewed, and is lost in " + kube::to_string(std::max(lost_at_ - now_, Duration{0})),
         times_.kill);
  }
  if (command_runs() && kill_at_ && now_ >= *kill_at_) kill();
}

void RunMachine::stop(const std::string& why, MonoTime kill_at) {
  kill_at_ = std::min(kill_at, kill_at_.value_or(kill_at));
  if (!lost_) step_.errors.push_back("stopping the command: " + why);
  lost_ = true;
  if (std::exchange(stage_, Stage::stopping) == Stage::stopping) return;
  if (now_ >= *kill_at_) return kill();
  step_.actions.emplace_back(SignalCommand{SIGTERM});
  step_.actions.emplace_back(SignalCommand{SIGCONT});  // one that is suspended hears nothing
}

void RunMachine::kill() {
  if (!std::exchange(killed_, true)) step_.actions.emplace_back(SignalCommand{SIGKILL});
}

// The first asks; the second gives the command a moment, the third none.
void RunMachine::interrupt() {
  ++interrupts_;
  if (interrupts_ == 2) {
    const MonoTime soon = now_ + settings_.hurry_grace;
    kill_at_ = std::min(soon, kill_at_.value_or(soon));
  }
  if (interrupts_ > 2) kill();
}

void RunMachine::release(int code) {
  stage_ = Stage::releasing;
  code_ = code;
  interrupts_ = 0;
  step_.actions.emplace_back(ReleaseClaim{now_ + (lost_ ? settings_.lost_release_time : settings_.release_time)});
}

void RunMachine::exit() {
  stage_ = Stage::finished;
  step_.actions.emplace_back(Exit{code_});
}

std::optional<MonoTime> RunMachine::next_wake() const {
  if (!command_runs() || killed_) return std::nullopt;
  if (stage_ == Stage::stopping) return kill_at_;
  return kill_at_ ? std::min(*kill_at_, times_.terminate) : times_.terminate;
}

}  // namespace konductor::kondctl
