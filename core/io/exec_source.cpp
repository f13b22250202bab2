#include "io/exec_source.hpp"

#include "io/clock.hpp"
#include "io/environment.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace konductor::io {

namespace asio = boost::asio;

namespace {

constexpr runtime::Duration longest_run = std::chrono::seconds{30};  // of one that asks nobody
constexpr runtime::Duration pause_after_failure = std::chrono::seconds{1};

}  // namespace

/// One run of the program, and who waits for it.
struct ExecSource::Run {
  class Waiting {
   public:
    Waiting(Run& run, BootTimer& timer) : run_(run), timer_(timer) { run_.waiting.push_back(&timer_); }
    ~Waiting() { std::erase(run_.waiting, &timer_); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    Run& run_;
    BootTimer& timer_;
  };

  explicit Run(const asio::any_io_executor& executor) : limit(executor) {}

  void finish(Result<Credential> result) {
    answer = std::move(result);
    limit.cancel();
    for (BootTimer* timer : waiting) timer->cancel();
  }

  std::shared_ptr<ChildProcess> child;
  BootTimer limit;
  std::optional<Result<Credential>> answer;
  std::vector<BootTimer*> waiting;  // each lives in a coroutine and takes itself out
};

ExecSource::ExecSource(asio::any_io_executor executor, kube::ExecPlugin plugin, const kube::ExecCluster& cluster,
                       bool terminal)
    : executor_(std::move(executor)), plugin_(std::move(plugin)) {
  const bool asks = terminal && plugin_.interaction != kube::Interaction::never;
  no_terminal_ = !terminal && plugin_.interaction == kube::Interaction::always;
  command_.words = plugin_.args;
  command_.words.insert(command_.words.begin(), plugin_.command);
  command_.environment = plugin_.env;
  command_.environment.push_back("KUBERNETES_EXEC_INFO=" + kube::exec_info(plugin_, cluster, asks));
  command_.terminal = asks;
}

ExecSource::~ExecSource() {
  close();
}

void ExecSource::close() {
  closed_ = true;
  if (!run_) return;
  run_->child->stop();
  run_->finish(Error{Errc::cancelled, kube::name_of(plugin_) + ": given up"});
}

bool ExecSource::refuse(const Credential& refused, runtime::MonoTime now) {
  if (credential_ != refused) return true;
  if (now < refuse_again_) return false;
  refuse_again_ = now + max_credential_age;
  credential_ = nullptr;
  return true;
}

void ExecSource::discard(const Credential& useless, const Error& why) {
  if (credential_ == useless) credential_ = nullptr;
  remember(why);
}

Error ExecSource::remember(Error failure) {
  // What has worked in this process is set up rightly: it may work again.
  if (worked_ && failure.code != Errc::cancelled) failure.code = Errc::unavailable;
  failure_ = failure;
  run_again_ = mono_now() + pause_after_failure;
  return failure;
}

Result<std::shared_ptr<ExecSource::Run>> ExecSource::start() {
  if (run_ && !run_->answer) return run_;
  if (no_terminal_) {
    return kube::cannot_run(plugin_, "must ask at a terminal (interactiveMode: Always), and there is none");
  }
  auto run = std::make_shared<Run>(executor_);
  auto child = ChildProcess::start(
      executor_, command_, [plugin = plugin_, weak = std::weak_ptr(run)](const kube::ExecRun& ended) {
        const auto awaited = weak.lock();
        if (!awaited) return;
        auto credential = kube::judge(ended, plugin);
        if (!credential) return awaited->finish(credential.error());
        awaited->finish(std::make_shared<const kube::ExecCredential>(std::move(*credential)));
      });
  if (!child) {
    Error error = kube::cannot_run(plugin_, child.error().detail);
    if (child.error().code == Errc::unavailable) error.code = Errc::unavailable;
    return error;
  }
  run->child = std::move(*child);
  run_ = run;
  if (command_.terminal) return run;  // a person takes the time that it takes
  run->limit.expires_at(mono_now() + longest_run);
  run->limit.async_wait([plugin = plugin_, weak = std::weak_ptr(run)](const boost::system::error_code& code) {
    const auto late = weak.lock();
    if (code || !late || late->answer) return;
    late->child->stop();
    late->finish(Error{Errc::timeout, kube::name_of(plugin) + " did not answer in time, and was stopped"});
  });
  return run;
}

asio::awaitable<Result<ExecSource::Credential>> ExecSource::get(runtime::MonoTime until, runtime::WallTime now) {
  take_answer();
  if (credential_ && (!credential_->expiry || now < *credential_->expiry)) co_return credential_;
  if (closed_) co_return Error{Errc::cancelled, kube::name_of(plugin_) + ": given up"};
  if (failure_ && mono_now() < run_again_) co_return *failure_;
  auto started = start();
  if (!started) co_return remember(started.error());
  const std::shared_ptr<Run> run = std::move(*started);
  BootTimer timer(executor_, until);
  const Run::Waiting among_those(*run, timer);
  const auto waited = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!run->answer) {
    if (!std::get<0>(waited)) {
      co_return Error{Errc::timeout, kube::name_of(plugin_) + " did not answer in time"};
    }
    co_return Error{Errc::cancelled, kube::name_of(plugin_) + ": given up"};
  }
  take_answer();
  if (*run->answer) co_return **run->answer;
  if (failure_) co_return *failure_;
  co_return run->answer->error();
}

/// Of a run that is over, also of one for which nobody waited any more; once.
void ExecSource::take_answer() {
  if (!run_ || !run_->answer) return;
  const auto over = std::exchange(run_, nullptr);
  if (!*over->answer) {
    remember(over->answer->error());
    return;
  }
  worked_ = true;
  failure_.reset();
  credential_ = **over->answer;
}

}  // namespace konductor::io
