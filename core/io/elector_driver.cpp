#include "io/elector_driver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>
#include <variant>

namespace konductor::io {

namespace asio = boost::asio;
using runtime::Elector;

ElectorDriver::ElectorDriver(asio::any_io_executor executor, KubeClient& client, runtime::ElectorSettings settings,
                             OnChange on_change)
    : executor_(std::move(executor)),
      client_(client),
      elector_(std::move(settings)),
      on_change_(std::move(on_change)),
      timer_(executor_) {}

bool ElectorDriver::leading() const {
  return elector_.leading_at(mono_now());
}

Elector::Action ElectorDriver::resume(const Elector::Event& event) {
  Elector::Action action = elector_.resume(event, client_.now());
  if (elector_.leading() != was_leading_ || elector_.problem() != last_problem_) {
    was_leading_ = elector_.leading();
    last_problem_ = elector_.problem();
    on_change_(was_leading_, last_problem_);
  }
  return action;
}

/// True once: the next event is the shutdown.
bool ElectorDriver::take_shutdown() {
  if (!stop_asked_ || shutting_down_) return false;
  shutting_down_ = true;
  return true;
}

asio::awaitable<void> ElectorDriver::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Elector::Action action = resume(Elector::Started());
  while (!std::holds_alternative<Elector::Done>(action)) {
    const Elector::Action current = std::move(action);
    if (const auto* to_send = std::get_if<Elector::Send>(&current)) {
      action = co_await send(*to_send);
    } else {
      action = co_await wait(std::get<Elector::Wait>(current).until);
    }
  }
}

asio::awaitable<Elector::Action> ElectorDriver::send(const Elector::Send& what) {
  if (take_shutdown()) co_return resume(Elector::Shutdown());
  auto answer = co_await asio::co_spawn(executor_, client_.send(what.request, what.until - mono_now()),
                                        asio::bind_cancellation_slot(cancel_.slot(), asio::use_awaitable));
  if (!answer && answer.error().code == Errc::cancelled) stop_asked_ = true;
  if (take_shutdown()) co_return resume(Elector::Shutdown());
  Elector::Answered event{std::move(answer)};
  co_return resume(event);
}

asio::awaitable<Elector::Action> ElectorDriver::wait(runtime::MonoTime until) {
  if (take_shutdown()) co_return resume(Elector::Shutdown());
  timer_.expires_at(until);
  const auto [cancelled] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (cancelled) stop_asked_ = true;
  if (take_shutdown()) co_return resume(Elector::Shutdown());
  co_return resume(Elector::WaitOver());
}

void ElectorDriver::stop() {
  if (stop_asked_) return;
  stop_asked_ = true;
  timer_.cancel();
  cancel_.emit(asio::cancellation_type::terminal);
}

}  // namespace konductor::io
