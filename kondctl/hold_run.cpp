#include "kondctl/hold_run.hpp"

#include "io/file.hpp"
#include "io/process.hpp"
#include "kondctl/run_machine.hpp"
#include "kube/time.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace konductor::kondctl {

namespace {

constexpr int lost_code = static_cast<int>(ExitCode::lost);

// Of a claim that others lost with us: what they do with it is not waited for.
constexpr Duration lost_release_time = std::chrono::seconds{2};

}  // namespace

HoldRun::HoldRun(Session& session, ClaimWish wish, HoldOptions options, OnGrant on_grant)
    : session_(session),
      options_(std::move(options)),
      on_grant_(std::move(on_grant)),
      signals_(session.io),
      tenure_(session, std::move(wish), hooks()) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (io::may_hear(number)) signals_.add(number);
  }
  session_.console.never_wait();
  std::signal(SIGPIPE, SIG_IGN);  // who reads the grant may end at once
}

int HoldRun::run(ClaimSettings settings) {
  // One that an earlier life left there says nothing of this one.
  if (!options_.ready_file.empty()) io::remove_file(options_.ready_file);
  if (const auto opened = open_probe(); !opened) {
    session_.console.error(opened.error().detail);
    return static_cast<int>(exit_code_for(opened.error()));
  }
  await_signal();
  return tenure_.run(std::move(settings));
}

Result<void> HoldRun::open_probe() {
  if (options_.probe_address.empty() || options_.probe_address == "off") return {};
  auto probe = io::ProbeServer::listen(
      session_.io.get_executor(), options_.probe_address, [this](std::string_view path) { return answer(path); },
      "--probe-address");
  if (!probe) return probe.error();
  probe_ = std::move(*probe);
  session_.console.detail("probes on port " + std::to_string(probe_->port()));
  return {};
}

Tenure::Hooks HoldRun::hooks() {
  return {.granted = [this](const ClaimOutcome::Grant& grant) { granted(grant); },
          .renewed = [this](MonoTime lost_at) { lost_at_ = lost_at; },
          .lost = [this](const Loss& loss) { lost(loss); },
          .released =
              [this](const std::string& problem) {
                if (!problem.empty()) session_.console.note(problem);
                tenure_.end(code_);
              },
          .look = [this] { return look(); }};
}

void HoldRun::granted(const ClaimOutcome::Grant& grant) {
  ttl_ = grant.ttl;
  lost_at_ = grant.lost_at;
  set(State::held);
  if (state_ == State::held) on_grant_(grant);
}

void HoldRun::lost(const Loss& loss) {
  set(State::lost);
  code_ = lost_code;
  give_back_at_ = loss.stop_by;  // whoever relies on it has that long to stop
  session_.console.error("the claim is lost: " + loss.why);
}

// While renewals fail it says so in time: whoever relies on it needs some to stop.
std::optional<MonoTime> HoldRun::look() {
  if (give_back_at_ && io::mono_now() < *give_back_at_) return give_back_at_;
  // Not beyond its end, where there is nothing to give back any more.
  if (std::exchange(give_back_at_, std::nullopt)) {
    tenure_.release(std::min(io::mono_now() + lost_release_time, lost_at_));
  }
  if (state_ != State::held && state_ != State::doubtful) return std::nullopt;
  const StopTimes times = stop_times(lost_at_, ttl_, options_.stop_grace);
  const bool late = io::mono_now() >= times.terminate;
  const bool first = late && state_ == State::held;
  set(late ? State::doubtful : State::held);
  if (first) {
    session_.console.error("the claim could not be renewed, and is lost in " +
                           kube::to_string(std::max(lost_at_ - io::mono_now(), Duration{0})));
  }
  if (!late) return times.terminate;
  if (io::mono_now() < times.kill) return times.kill;
  lost({"no renewal was answered in time", io::mono_now()});
  return look();
}

void HoldRun::set(State state) {
  if (std::exchange(state_, state) == state || options_.ready_file.empty()) return;
  if (state != State::held) return io::remove_file(options_.ready_file);
  if (const auto written = io::write_file(options_.ready_file, tenure_.wish().claim.name + "\n"); !written) {
    // Nobody would ever hear that it is held.
    session_.console.error(written.error().detail);
    code_ = static_cast<int>(exit_code_for(written.error()));
    state_ = State::ending;
    tenure_.release(io::mono_now() + options_.release_time);
  }
}

void HoldRun::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    told_to_end(number);
    await_signal();
  });
}

void HoldRun::told_to_end(int number) {
  if (state_ == State::waiting) return tenure_.signal(number == SIGINT ? Signal::interrupt : Signal::terminate);
  if (state_ == State::ending || state_ == State::lost) {
    if (number == SIGINT) tenure_.end(code_);  // a second one does not wait
    if (give_back_at_) give_back_at_ = io::mono_now();
    return tenure_.turn();
  }
  set(State::ending);
  if (options_.keep) {
    tenure_.end(0);
  } else {
    tenure_.release(io::mono_now() + options_.release_time);
  }
  tenure_.turn();
}

io::ProbeAnswer HoldRun::answer(std::string_view path) const {
  if (path == "/healthz") return {.status = 200, .body = "ok\n"};
  if (path != "/readyz") return {.status = 404, .body = "there is /healthz and /readyz\n"};
  switch (state_) {
    case State::held: return {.status = 200, .body = "held\n"};
    case State::waiting: return {.status = 503, .body = "waiting\n"};
    case State::doubtful: return {.status = 503, .body = "held, but could not be renewed in time\n"};
    case State::lost: return {.status = 503, .body = "lost\n"};
    case State::ending: break;
  }
  return {.status = 503, .body = "being given back\n"};
}

}  // namespace konductor::kondctl
