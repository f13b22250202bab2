#include "io/watch_driver.hpp"

#include "kube/line_splitter.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace konductor::io {

namespace asio = boost::asio;
using Machine = runtime::WatchMachine;

namespace {

constexpr runtime::Duration list_deadline = std::chrono::seconds{60};

/// The machine's word for how a stream came to its end.
Machine::Event end_of_stream(const Result<void>& ended, bool was_opened, bool relist) {
  if (ended || relist) return Machine::StreamEnded{};
  if (ended.error().code == Errc::timeout && was_opened) return Machine::IdleTimeout{};
  return Machine::StreamEnded{ended.error()};
}

}  // namespace

WatchDriver::WatchDriver(asio::any_io_executor executor, KubeClient& client, runtime::WatchSettings settings,
                         Consumer consumer)
    : executor_(std::move(executor)),
      client_(client),
      machine_(std::move(settings)),
      consumer_(std::move(consumer)),
      timer_(executor_),
      random_(std::random_device{}()) {}

Machine::Action WatchDriver::resume(const Machine::Event& event) {
  const double jitter = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
  Machine::Step step = machine_.resume(event, mono_now(), jitter);
  for (const runtime::ViewEvent& delta : step.deltas) {
    if (!stopped_) consumer_(delta);
  }
  return std::move(step.action);
}

asio::awaitable<void> WatchDriver::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Machine::Action action = resume(Machine::Started());
  while (!stopped_) {
    relist_ = false;
    const Machine::Action current = std::move(action);
    if (const auto* to_list = std::get_if<Machine::SendList>(&current)) {
      action = co_await list(to_list->request);
    } else if (const auto* to_open = std::get_if<Machine::OpenWatch>(&current)) {
      action = co_await watch(*to_open);
    } else if (const auto* to_wait = std::get_if<Machine::Wait>(&current)) {
      action = co_await wait(to_wait->duration);
    } else {
      action = resume(Machine::StreamEnded());  // KeepReading, but no stream is open
    }
  }
}

asio::awaitable<Machine::Action> WatchDriver::list(const kube::Request& request) {
  auto answer = co_await asio::co_spawn(executor_, client_.send(request, list_deadline),
                                        asio::bind_cancellation_slot(cancel_list_.slot(), asio::use_awaitable));
  if (!answer && answer.error().code == Errc::cancelled) stopped_ = true;
  if (stopped_) co_return Machine::KeepReading();
  Machine::ListAnswered event{std::move(answer)};
  co_return resume(event);
}

asio::awaitable<Machine::Action> WatchDriver::watch(const Machine::OpenWatch& open) {
  kube::LineSplitter lines;
  std::optional<Machine::Action> next;  // once the machine wants something else than to read on
  bool opened = false;
  const auto tell = [&](const Machine::Event& event) {
    if (next || stopped_) return;
    Machine::Action action = resume(event);
    if (std::holds_alternative<Machine::KeepReading>(action)) return;
    next = std::move(action);
    stream_.stop();
  };
  StreamSink sink;
  sink.stop = &stream_;
  sink.on_response = [&](const kube::Response& response) {
    if (stopped_) return stream_.stop();
    opened = response.status == 200;
    if (opened) tell(Machine::StreamOpened{});
    if (!opened) tell(Machine::StreamRefused{response});
  };
  sink.on_bytes = [&](std::string_view bytes) {
    auto complete = lines.feed(bytes);
    if (!complete) return tell(Machine::StreamEnded{complete.error()});
    for (std::string& line : *complete) tell(Machine::Line{std::move(line)});
  };
  const auto ended = co_await client_.stream(open.request, sink, open.idle_timeout);
  if (!ended && ended.error().code == Errc::cancelled && !next && !relist_) stopped_ = true;
  tell(end_of_stream(ended, opened, relist_));
  if (!next) next = Machine::KeepReading();
  co_return std::move(*next);
}

asio::awaitable<Machine::Action> WatchDriver::wait(runtime::Duration duration) {
  timer_.expires_at(mono_now() + duration);
  const auto [cancelled] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (cancelled && !relist_) stopped_ = true;
  if (stopped_) co_return Machine::KeepReading();
  co_return resume(Machine::WaitOver());
}

void WatchDriver::relist() {
  machine_.relist();
  relist_ = true;
  stream_.stop();
  timer_.cancel();
}

void WatchDriver::stop() {
  stopped_ = true;
  stream_.stop();
  timer_.cancel();
  cancel_list_.emit(asio::cancellation_type::terminal);
}

}  // namespace konductor::io
