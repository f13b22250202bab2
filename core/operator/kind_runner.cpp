#include "operator/kind_runner.hpp"

#include "host/crd.hpp"
#include "kube/response.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace konductor::app {
namespace {

namespace asio = boost::asio;

constexpr auto request_deadline = std::chrono::seconds{10};
constexpr auto look_for_crds = std::chrono::seconds{2};
constexpr auto oversleep = std::chrono::microseconds{500};  // a timer that fires early would only be set again

runtime::WatchSettings watch_of(const kube::Resource& resource) {
  runtime::WatchSettings settings;
  settings.resource = resource;
  return settings;
}

runtime::WatchSettings watch_of(const runtime::WatchTarget& target) {
  auto settings = watch_of(target.resource);
  settings.ns = target.ns;
  settings.label_selector = target.label_selector;
  if (!target.object_name.empty()) settings.field_selector = "metadata.name=" + target.object_name;
  return settings;
}

void write_log(const runtime::KindMachine::LogLine& line) {
  using Level = runtime::KindMachine::LogLine::Level;
  switch (line.level) {
    case Level::debug: spdlog::debug("{}", line.text); break;
    case Level::info: spdlog::info("{}", line.text); break;
    case Level::warning: spdlog::warn("{}", line.text); break;
    case Level::error: spdlog::error("{}", line.text); break;
  }
}

}  // namespace

KindRunner::KindRunner(asio::any_io_executor executor, io::KubeClient& client, runtime::Pacer& pacer,
                       runtime::KindDeclaration kind, const runtime::KindSettings& settings,
                       std::function<bool()> may_lead)
    : executor_(std::move(executor)),
      client_(client),
      pacer_(pacer),
      machine_(std::move(kind), settings),
      may_lead_(std::move(may_lead)),
      primitives_(executor_, client_, watch_of(machine_.kind().primitive_resource()),
                  feed(&runtime::KindMachine::on_primitive, primitives_trouble_)),
      claims_(executor_, client_, watch_of(machine_.kind().claim_resource()),
              feed(&runtime::KindMachine::on_claim, claims_trouble_)),
      timer_(executor_) {}

io::WatchDriver::Consumer KindRunner::feed(Sink sink, WatchTrouble& trouble) {
  return [this, sink, &trouble](const runtime::ViewEvent& event) {
    trouble.see(event);
    (machine_.*sink)(event, client_.now());
    schedule();
  };
}

std::string KindRunner::problem() const {
  if (!not_served_.empty()) return not_served_;
  if (!primitives_trouble_.why().empty()) return primitives_trouble_.why();
  return claims_trouble_.why();
}

asio::awaitable<void> KindRunner::run() {
  while (!stopped_) {
    const bool served = co_await is_served();
    if (served) break;
    timer_.expires_after(look_for_crds);
    const auto waiting = asio::as_tuple(asio::use_awaitable);
    co_await timer_.async_wait(waiting);
  }
  if (stopped_) co_return;
  if (machine_.kind().mode != runtime::Mode::observed) asio::co_spawn(executor_, claims_.run(), asio::detached);
  co_await primitives_.run();
}

asio::awaitable<bool> KindRunner::is_served() {
  const kube::Resource crds{"apiextensions.k8s.io", "v1", "customresourcedefinitions"};
  std::string problem;
  for (const auto place : {runtime::Place::primitive, runtime::Place::claim}) {
    if (place == runtime::Place::claim && machine_.kind().mode == runtime::Mode::observed) continue;
    const auto name =
        host::crd_name(place == runtime::Place::primitive ? machine_.kind().names : machine_.kind().claim);
    const auto request = kube::get(crds, kube::NamespacedName{"", name});
    const auto answer = co_await client_.send(request, request_deadline);
    const auto crd = answer ? kube::classify(*answer, "get the CRD " + name) : Result<nlohmann::json>(answer.error());
    if (!crd) {
      problem = crd.error().detail;
      if (crd.error().code == Errc::not_found) problem += ": apply the output of konductor manifests";
      break;
    }
    problem = host::why_not_served(*crd, machine_.kind(), place);
    if (!problem.empty()) break;
  }
  if (problem != not_served_ && !problem.empty()) spdlog::error("{}: {}", machine_.kind().names.singular, problem);
  not_served_ = std::move(problem);
  co_return not_served_.empty();
}

void KindRunner::on_pod(const runtime::ViewEvent& event) {
  machine_.on_pod(event, client_.now());
  schedule();
}

void KindRunner::stop() {
  stopped_ = true;
  primitives_.stop();
  claims_.stop();
  for (auto& [target, need] : needs_) need.driver->stop();
  timer_.cancel();
}

void KindRunner::schedule() {
  if (scheduled_ || stopped_) return;
  scheduled_ = true;
  // What arrived together is looked at together.
  asio::post(executor_, [this] {
    scheduled_ = false;
    pump();
  });
}

void KindRunner::pump() {
  if (stopped_) return;
  if (const bool may = may_lead_(); may != leading_) {
    leading_ = may;
    machine_.lead(may, client_.now());
  }
  for (auto& outgoing : machine_.work(client_.now()))
    asio::co_spawn(executor_, send(std::move(outgoing)), asio::detached);
  follow_needs();
  for (const auto& line : machine_.take_log()) write_log(line);
  set_timer();
}

void KindRunner::follow_needs() {
  const auto& wanted = machine_.watch_targets();
  std::erase_if(needs_, [&wanted](const auto& running) {
    const bool over = !wanted.contains(running.first);
    if (over) running.second.driver->stop();
    return over;
  });
  for (const auto& target : wanted) {
    if (needs_.contains(target)) continue;
    auto driver = std::make_shared<io::WatchDriver>(executor_, client_, watch_of(target),
                                                    [this, target](const runtime::ViewEvent& event) {
                                                      needs_[target].trouble.see(event);
                                                      machine_.on_observed(target, event, client_.now());
                                                      schedule();
                                                    });
    needs_[target].driver = driver;
    // It lives until its coroutine is over, which is a moment after stop().
    asio::co_spawn(executor_, driver->run(), [driver](const std::exception_ptr&) {});
  }
}

void KindRunner::set_timer() {
  const auto at = machine_.wake_at();
  if (!at || !not_served_.empty()) return;
  timer_.expires_at(*at == runtime::MonoTime::min() ? client_.now().mono : *at + oversleep);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) schedule();
  });
}

asio::awaitable<void> KindRunner::send(runtime::Outgoing outgoing) {
  const auto asked = client_.now().mono;
  if (const auto at = pacer_.reserve(asked); at > asked) {
    io::BootTimer turn(executor_, at);
    const auto waiting = asio::as_tuple(asio::use_awaitable);
    co_await turn.async_wait(waiting);
    // Whoever lost its lock while it waited sends nothing more.
    if (stopped_ || !may_lead_()) {
      machine_.on_answer(outgoing.id, Error{Errc::unavailable, "not sent: this replica no longer leads", 0},
                         client_.now());
      schedule();
      co_return;
    }
  }
  const auto answer = co_await client_.send(outgoing.request, request_deadline);
  spdlog::debug("{} {} -> {}", kube::to_string(outgoing.request.method), outgoing.request.target,
                answer ? std::to_string(answer->status) : answer.error().detail);
  machine_.on_answer(outgoing.id, answer, client_.now());
  schedule();
}

}  // namespace konductor::app
