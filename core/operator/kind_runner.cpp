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

KindRunner::KindRunner(asio::any_io_executor executor, io::KubeClient& client, runtime::KindDeclaration kind,
                       const runtime::KindSettings& settings, std::function<bool()> may_lead)
    : executor_(std::move(executor)),
      client_(client),
      machine_(std::move(kind), settings),
      may_lead_(std::move(may_lead)),
      primitives_(executor_, client_, watch_of(machine_.kind().primitive_resource()),
                  [this](const runtime::ViewEvent& event) {
                    machine_.on_primitive(event, client_.now());
                    schedule();
                  }),
      claims_(executor_, client_, watch_of(machine_.kind().claim_resource()),
              [this](const runtime::ViewEvent& event) {
                machine_.on_claim(event, client_.now());
                schedule();
              }),
      timer_(executor_) {}

asio::awaitable<void> KindRunner::run() {
  while (!stopped_) {
    const bool served = co_await is_served();
    if (served) break;
    timer_.expires_after(look_for_crds);
    const auto waiting = asio::as_tuple(asio::use_awaitable);
    co_await timer_.async_wait(waiting);
  }
  if (stopped_) co_return;
  asio::co_spawn(executor_, claims_.run(), asio::detached);
  co_await primitives_.run();
}

asio::awaitable<bool> KindRunner::is_served() {
  const kube::Resource crds{"apiextensions.k8s.io", "v1", "customresourcedefinitions"};
  std::string problem;
  for (const auto place : {runtime::Place::primitive, runtime::Place::claim}) {
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
  if (problem != problem_ && !problem.empty()) spdlog::error("{}: {}", machine_.kind().names.singular, problem);
  problem_ = std::move(problem);
  co_return problem_.empty();
}

void KindRunner::on_pod(const runtime::ViewEvent& event) {
  machine_.on_pod(event, client_.now());
  schedule();
}

void KindRunner::stop() {
  stopped_ = true;
  primitives_.stop();
  claims_.stop();
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
  for (const auto& line : machine_.take_log()) write_log(line);
  set_timer();
}

void KindRunner::set_timer() {
  const auto at = machine_.wake_at();
  if (!at || !problem_.empty()) return;
  timer_.expires_at(*at == runtime::MonoTime::min() ? client_.now().mono : *at + oversleep);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) schedule();
  });
}

asio::awaitable<void> KindRunner::send(runtime::Outgoing outgoing) {
  const auto answer = co_await client_.send(outgoing.request, request_deadline);
  spdlog::debug("{} {} -> {}", kube::to_string(outgoing.request.method), outgoing.request.target,
                answer ? std::to_string(answer->status) : answer.error().detail);
  machine_.on_answer(outgoing.id, answer, client_.now());
  schedule();
}

}  // namespace konductor::app
