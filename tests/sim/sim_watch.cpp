#include "tests/sim/sim_watch.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace konductor::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Machine = runtime::WatchMachine;

namespace {

constexpr Duration list_deadline = seconds{20};  // a third of the program's: all times here are short

Error broken() {
  return {Errc::unavailable, "the connection was cut", 0};
}

}  // namespace

SimWatch::SimWatch(World& world, Process process, runtime::WatchSettings settings, Sink sink)
    : world_(world),
      process_(std::move(process)),
      resource_(settings.resource),
      machine_(std::move(settings)),
      sink_(std::move(sink)) {}

void SimWatch::start() {
  tell(Machine::Started{});
}

void SimWatch::later(Duration delay, std::function<void()> what) {
  world_.after(delay, [this, alive = std::weak_ptr(life_), ticket = ticket_, what = std::move(what)] {
    if (!alive.expired() && ticket == ticket_) what();
  });
}

void SimWatch::tell_later(Duration delay, Machine::Event event) {
  later(delay, [this, event = std::move(event)] {
    process_.run([this, alive = std::weak_ptr(life_), ticket = ticket_, event] {
      if (!alive.expired() && ticket == ticket_) tell(event);
    });
  });
}

void SimWatch::tell(const Machine::Event& event) {
  const double jitter = static_cast<double>(world_.rng().between(0, 999)) / 1000;
  const Machine::Step step = machine_.resume(event, process_.clock->mono(), jitter);
  for (const runtime::ViewEvent& delta : step.deltas) sink_(delta);
  act(step.action);
}

void SimWatch::act(const Machine::Action& action) {
  if (std::holds_alternative<Machine::KeepReading>(action)) return;
  ++ticket_;
  stream_.reset();
  if (const auto* list = std::get_if<Machine::SendList>(&action)) return send_list(list->request);
  if (const auto* wanted = std::get_if<Machine::OpenWatch>(&action)) return open(*wanted);
  tell_later(std::get<Machine::Wait>(action).duration, Machine::WaitOver{});
}

void SimWatch::send_list(const kube::Request& request) {
  world_.send(process_.actor, {.request = request, .patience = list_deadline},
              [this, alive = std::weak_ptr(life_), ticket = ticket_](const Result<kube::Response>& answer) {
                if (alive.expired() || ticket != ticket_) return;
                process_.run([clock = process_.clock, answer] { clock->learn(answer); });
                tell_later(Duration{0}, Machine::ListAnswered{answer});
              });
}

void SimWatch::open(const Machine::OpenWatch& wanted) {
  stream_.emplace();
  stream_->idle_timeout = wanted.idle_timeout;
  const Duration there = world_.rng().between(milliseconds{1}, milliseconds{20});
  if (!world_.reaches(process_.actor) && world_.is_silent(process_.actor)) {
    return tell_later(wanted.idle_timeout, Machine::StreamEnded{Error{Errc::timeout, "no answer", 0}});
  }
  if (!world_.reaches(process_.actor) || world_.rng().chance(world_.faults().request_lost)) {
    return tell_later(there, Machine::StreamEnded{broken()});
  }
  if (world_.rng().chance(world_.faults().throttled)) {
    kube::Response busy;
    busy.status = 429;
    busy.retry_after_s = 1;
    return tell_later(there, Machine::StreamRefused{busy});
  }
  later(there, [this, request = wanted.request] { opened_at_server(request); });
}

void SimWatch::opened_at_server(const kube::Request& request) {
  const kube::Response response = world_.api().open_watch(request, stream_->cursor);
  const Duration lag = in_order(milliseconds{1});
  if (response.status != 200) return tell_later(lag, Machine::StreamRefused{response});
  const auto lasts = stream_->cursor.end - world_.wall();
  stream_->cursor.end = WallTime::max();  // the server's clock may jump, its timers do not
  stream_->served = true;
  stream_->last_read = process_.clock->mono();
  tell_later(lag, Machine::StreamOpened{});
  watch_for_silence(stream_->idle_timeout);
  later(lasts, [this] {
    if (!stream_->served) return;
    serve(true);
    stream_->served = false;
    if (!stream_->dead) tell_later(in_order(milliseconds{1}), Machine::StreamEnded{});
  });
  serve_bookmarks();
  serve(false);
}

void SimWatch::serve_bookmarks() {
  later(world_.rng().between(seconds{3}, seconds{15}), [this] {
    if (!stream_->served) return;
    serve(true);
    serve_bookmarks();
  });
}

void SimWatch::watch_for_silence(Duration delay) {
  later(delay, [this] {
    process_.run([this, alive = std::weak_ptr(life_), ticket = ticket_] {
      if (alive.expired() || ticket != ticket_ || !stream_) return;
      const Duration silent = process_.clock->mono() - stream_->last_read;
      if (silent >= stream_->idle_timeout) return tell(Machine::IdleTimeout{});
      watch_for_silence(stream_->idle_timeout - silent);
    });
  });
}

void SimWatch::on_commit(const Commit& commit) {
  if (commit.resource == resource_) catch_up();
}

void SimWatch::catch_up() {
  if (stream_ && stream_->served) serve(false);
}

void SimWatch::serve(bool bookmark) {
  bool ended = false;
  std::string bytes = world_.api().read_watch(stream_->cursor, bookmark, ended);
  if (ended) stream_->served = false;
  if (!bytes.empty()) push(std::move(bytes));
}

Duration SimWatch::in_order(Duration lag) {
  stream_->last_arrival = std::max(stream_->last_arrival, world_.elapsed() + lag);
  return stream_->last_arrival - world_.elapsed();
}

void SimWatch::push(std::string bytes) {
  Rng& rng = world_.rng();
  if (stream_->dead) return;
  if (rng.chance(world_.faults().watch_dead)) {
    world_.count_harm();
    stream_->dead = true;
    return;
  }
  if (rng.chance(world_.faults().watch_cut)) return break_stream(rng.between(milliseconds{1}, seconds{3}));
  const bool stalled = rng.chance(world_.faults().watch_stalled);
  if (stalled) world_.count_harm();
  const Duration lag = in_order(rng.between(milliseconds{1}, stalled ? seconds{25} : milliseconds{20}));
  later(lag, [this, bytes = std::move(bytes)] {
    if (stream_->dead) return;
    if (world_.reaches(process_.actor)) return read(bytes);
    if (world_.is_silent(process_.actor))
      stream_->dead = true;
    else
      break_stream(milliseconds{1});
  });
}

/// What is on its way is lost.
void SimWatch::break_stream(Duration delay) {
  world_.count_harm();
  stream_->served = false;
  stream_->dead = true;
  tell_later(delay, Machine::StreamEnded{broken()});
}

void SimWatch::read(const std::string& bytes) {
  process_.run([this, alive = std::weak_ptr(life_), ticket = ticket_, bytes] {
    if (alive.expired() || ticket != ticket_ || !stream_) return;
    stream_->last_read = process_.clock->mono();
    const auto lines = stream_->lines.feed(bytes);
    for (const std::string& line : lines.value()) {
      if (ticket != ticket_) return;
      tell(Machine::Line{line});
    }
  });
}

}  // namespace konductor::sim
