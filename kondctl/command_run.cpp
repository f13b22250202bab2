#include "kondctl/command_run.hpp"

#include "kube/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace konductor::kondctl {

namespace {

// Passed on to the command; before there is one, the first four end the wait for the claim.
constexpr std::array<int, 7> passed_on{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
constexpr std::size_t ending_signals = 4;

constexpr Duration look_again = std::chrono::milliseconds{5};
constexpr Duration remains_patience = std::chrono::seconds{1};

constexpr int not_executable = 126;
constexpr int not_found = 127;

}  // namespace

CommandRun::CommandRun(Session& session, ClaimWish wish, RunSettings settings, std::unique_ptr<io::GroupGuard> guard)
    : session_(session),
      settings_(settings),
      guard_(std::move(guard)),
      signals_(session.io),
      remains_timer_(session.io.get_executor()),
      tenure_(session, std::move(wish), hooks()) {
  session_.console.never_wait();
  // Whoever started us under nohup wants neither us nor the command to hear of it.
  sigset_t heard;
  sigemptyset(&heard);
  const auto hear = [&](int number) {
    signals_.add(number);
    sigaddset(&heard, number);
  };
  for (const int number : passed_on) {
    if (!command_.was_ignored(number)) hear(number);
  }
  hear(SIGCHLD);
  hear(SIGCONT);
  pthread_sigmask(SIG_UNBLOCK, &heard, nullptr);  // whoever started us may have blocked them
  std::signal(SIGPIPE, SIG_IGN);                  // who reads our words may end before the command does
}

int CommandRun::run(ClaimSettings settings) {
  await_signal();
  return tenure_.run(std::move(settings));
}

Tenure::Hooks CommandRun::hooks() {
  return {.granted =
              [this](const ClaimOutcome::Grant& grant) {
                grant_ = grant;
                run_.emplace(settings_, grant.ttl, grant.lost_at);
              },
          .renewed = [this](MonoTime lost_at) { tell(ClaimRenewed{lost_at}); },
          .lost = [this](const Loss& loss) { tell(ClaimLost{loss.why, loss.stop_by}); },
          .released = [this](const std::string& problem) { tell(ClaimReleased{problem}); },
          .look =
              [this] {
                tell(TimeCame{});
                return wake_at_;
              }};
}

// ---- what the machine says

void CommandRun::tell(const RunEvent& event) {
  const RunStep step = run_->resume(event, io::mono_now());
  wake_at_ = step.wake_at;
  for (const RunAction& action : step.actions) execute(action);
  // Whoever reads them may have stopped to: what had to be done is done.
  for (const std::string& sentence : step.errors) session_.console.error(sentence);
  for (const std::string& sentence : step.notes) session_.console.note(sentence);
}

void CommandRun::execute(const RunAction& action) {
  if (std::holds_alternative<StartCommand>(action)) start();
  if (const auto* one = std::get_if<TellGuard>(&action)) guard_->kill_at(one->kill_at);
  if (const auto* one = std::get_if<SignalCommand>(&action)) command_.signal(one->number);
  if (const auto* one = std::get_if<ReleaseClaim>(&action)) tenure_.release(one->until);
  if (const auto* one = std::get_if<Exit>(&action)) tenure_.end(one->code);
}

void CommandRun::start() {
  const std::vector<std::string>& words = session_.invocation.words;
  const ClaimWish& wish = tenure_.wish();
  const auto started =
      command_.start(words,
                     {"KONDUCTOR_TOKEN=" + std::to_string(grant_.token), "KONDUCTOR_CLAIM=" + wish.claim.name,
                      "KONDUCTOR_PRIMITIVE=" + wish.primitive.name, "KONDUCTOR_NAMESPACE=" + wish.primitive.ns},
                     [this](pid_t group) { guard_->watch(group); });
  if (started) return tell(CommandStarted{});
  guard_->done();
  const int code = started.error().code == Errc::not_found ? not_found : not_executable;
  tell(CommandNotStarted{code, kube::quoted(words.front()) + " " + started.error().detail});
}

// ---- what happens to this process

void CommandRun::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    came(number);
    await_signal();
  });
}

void CommandRun::came(int number) {
  if (number == SIGCHLD) return look_at_children();
  if (number == SIGCONT) {
    command_.resume();
    return tenure_.turn();
  }
  if (run_) {
    tell(SignalCame{number});
    return tenure_.turn();
  }
  const auto* const last = passed_on.begin() + ending_signals;
  if (std::find(passed_on.begin(), last, number) == last) return;
  tenure_.signal(number == SIGINT ? Signal::interrupt : Signal::terminate);
}

void CommandRun::look_at_children() {
  if (!guard_->look()) session_.console.error("the guard of the command has ended, and can't be started again");
  const auto end = command_.look([this] { guard_->done(); });
  if (end) await_end(*end, io::mono_now() + remains_patience);
  io::collect_orphans({guard_->pid(), command_.pid()});
}

// What the command left running in its group was killed, and holds nothing up once it is gone.
void CommandRun::await_end(io::CommandEnd end, MonoTime until) {
  if (!command_.has_remains() || io::mono_now() >= until) {
    tell(CommandEnded{end.code, end.signal});
    return tenure_.turn();
  }
  remains_timer_.expires_after(look_again);
  remains_timer_.async_wait([this, end, until](const boost::system::error_code& error) {
    io::collect_orphans({guard_->pid()});
    if (!error) await_end(end, until);
  });
}

}  // namespace konductor::kondctl
