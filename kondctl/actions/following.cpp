#include "kondctl/actions/following.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

namespace konductor::kondctl {

namespace {

constexpr std::chrono::milliseconds longest_end{200};

}  // namespace

Following::Following(Session& session, std::vector<Source> sources, Consumer consumer, Refused refused)
    : session_(session), consumer_(std::move(consumer)), refused_(std::move(refused)) {
  states_.resize(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    runtime::WatchSettings settings;
    settings.resource = std::move(sources[i].resource);
    settings.ns = std::move(sources[i].ns);
    settings.field_selector = std::move(sources[i].field_selector);
    const auto hear_it = [this, i](const runtime::ViewEvent& event) { hear(i, event); };
    drivers_.push_back(
        std::make_unique<io::WatchDriver>(session.io.get_executor(), *session.client, std::move(settings), hear_it));
  }
}

ExitCode Following::run() {
  session_.io.restart();
  boost::asio::signal_set signals(session_.io, SIGINT, SIGTERM);
  signals.async_wait([this](const boost::system::error_code& error, int number) {
    if (!error) stop(number == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
  });
  for (const auto& driver : drivers_) {
    ++running_;
    boost::asio::co_spawn(session_.io, driver->run(), [this](const std::exception_ptr&) {
      if (--running_ == 0) session_.io.stop();
    });
  }
  session_.io.run();
  signals.clear();
  session_.client->close();
  session_.io.restart();
  session_.io.run_for(longest_end);
  // What still runs uses its driver: the process ends at once, and leaves both.
  if (running_ > 0) {
    for (auto& driver : drivers_) static_cast<void>(driver.release());  // NOLINT(bugprone-unused-return-value)
  }
  return code_;
}

void Following::stop(ExitCode code) {
  if (stopped_) return;
  stopped_ = true;
  code_ = code;
  for (const auto& driver : drivers_) driver->stop();
  session_.io.stop();
}

void Following::hear(std::size_t source, const runtime::ViewEvent& event) {
  if (stopped_) return;
  if (event.kind == runtime::ViewEvent::Kind::failed) return fail(source, event);
  State& state = states_[source];
  if (event.kind == runtime::ViewEvent::Kind::begin) state.listing = true;
  // A list that is answered says nothing yet of the watch that failed behind the one before.
  if (!state.listing) state.trouble.clear();
  if (event.kind == runtime::ViewEvent::Kind::synced) {
    state.known = true;
    state.listing = false;
  }
  consumer_(source, event);
  if (session_.console.has_failed()) stop(ExitCode::failed);
}

void Following::fail(std::size_t source, const runtime::ViewEvent& event) {
  const Error error{event.code, event.message, 0};
  State& state = states_[source];
  state.listing = false;
  if (state.known || is_retryable(event.code) || event.code == Errc::expired) {
    if (state.trouble != event.message)
      session_.console.note(event.message + "; what is shown may be old, still trying");
    state.trouble = event.message;
    return;
  }
  drivers_[source]->stop();
  if (!refused_(source, error)) stop(exit_code_for(error));
}

}  // namespace konductor::kondctl
