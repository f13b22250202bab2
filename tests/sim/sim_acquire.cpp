#include "tests/sim/sim_acquire.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace konductor::sim {

using kondctl::DialogueEvent;
using kondctl::DialogueStep;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// As kondctl has it: a stream without even a bookmark for so long is dead.
constexpr Duration silent_watch = seconds{90};

std::uint64_t version_in(const std::string& target) {
  constexpr std::string_view key = "resourceVersion=";
  const auto at = target.find(key);
  return at == std::string::npos ? 0 : std::strtoull(target.c_str() + at + key.size(), nullptr, 10);
}

}  // namespace

SimAcquire::SimAcquire(World& world, Start start, OnFinish on_finish)
    : world_(world),
      actor_(std::move(start.actor)),
      clock_(start.clock),
      claims_(start.wish.kind->claim_resource()),
      claim_(start.wish.claim),
      machine_(std::move(start.wish), start.settings, clock_.mono()),
      on_finish_(std::move(on_finish)) {}

runtime::Now SimAcquire::now() {
  runtime::Now read = clock_.now();
  if (std::chrono::abs(clock_.wall() - read.server) <= seconds{2}) read.server = clock_.wall();
  return read;
}

void SimAcquire::later(Duration delay, std::function<void()> what) {
  world_.after(delay, [alive = std::weak_ptr(life_), what = std::move(what)] {
    if (!alive.expired()) what();
  });
}

void SimAcquire::tell(const DialogueEvent& event) {
  if (finished_) return;
  const kondctl::ClaimStep step = machine_.resume(event, now());
  for (const auto& sending : step.send) send(sending);
  if (step.watch) watch(*step.watch);
  if (!step.finish) return wake_at(step.wake_at);
  finished_ = true;
  // Later: who hears of it may destroy this object.
  later(Duration{0}, [on_finish = on_finish_, outcome = *step.finish] { on_finish(outcome); });
}

void SimAcquire::send(const DialogueStep::Sending& sending) {
  world_.send(actor_, {.request = sending.request, .patience = sending.time},
              [this, alive = std::weak_ptr(life_), id = sending.id](const Result<kube::Response>& answer) {
                if (alive.expired()) return;
                clock_.learn(answer);
                tell(kondctl::Answered{id, answer});
              });
}

void SimAcquire::watch(const DialogueStep::Watching& watching) {
  watch_ = {watching.id, false, false, watch_.stream + 1, Duration{0}};
  if (!world_.reaches(actor_) && world_.is_silent(actor_)) {
    return end_watch(silent_watch, Error{Errc::timeout, "no answer", 0});
  }
  if (!world_.reaches(actor_) || world_.rng().chance(world_.faults().request_lost)) {
    return end_watch(milliseconds{5}, Error{Errc::unavailable, "the connection was cut", 0});
  }
  later(world_.rng().between(milliseconds{1}, milliseconds{30}),
        [this, stream = watch_.stream, from = version_in(watching.request.target)] {
          if (stream == watch_.stream) open_watch(from);
        });
}

void SimAcquire::open_watch(std::uint64_t from) {
  watch_.open = true;
  if (from < world_.api().compacted()) return end_watch(milliseconds{5}, Error{Errc::expired, "410 Gone", 0});
  for (const Commit& commit : world_.api().log(claims_)) {
    if (commit.revision > from) show(commit);
  }
  end_watch(world_.rng().between(seconds{60}, seconds{300}), std::nullopt);
}

void SimAcquire::on_commit(const Commit& commit) {
  if (!watch_.open || commit.resource != claims_ || commit.object != claim_) return;
  show(commit);
  if (!world_.rng().chance(world_.faults().watch_cut)) return;
  watch_.open = false;
  const bool gone = world_.rng().chance(world_.faults().watch_gone);
  end_watch(world_.rng().between(milliseconds{1}, seconds{5}),
            gone ? std::optional{Error{Errc::expired, "410 Gone", 0}} : std::optional<Error>{});
}

void SimAcquire::show(const Commit& commit) {
  if (commit.object != claim_ || watch_.dead) return;
  if (world_.rng().chance(world_.faults().watch_dead)) {
    world_.count_harm();
    watch_.dead = true;
    return end_watch(silent_watch, Error{Errc::timeout, "silent", 0});
  }
  const bool stalled = world_.rng().chance(world_.faults().watch_stalled);
  const Duration lag = world_.rng().between(milliseconds{1}, stalled ? seconds{25} : milliseconds{20});
  watch_.last_arrival = std::max(watch_.last_arrival, world_.elapsed() + lag);
  later(watch_.last_arrival - world_.elapsed(), [this, stream = watch_.stream, id = watch_.id, after = commit.after] {
    if (stream != watch_.stream || watch_.dead) return;
    if (!world_.reaches(actor_)) {
      watch_.dead = true;
      return end_watch(world_.is_silent(actor_) ? silent_watch : Duration{milliseconds{1}},
                       Error{Errc::unavailable, "the connection was cut", 0});
    }
    if (after)
      tell(kondctl::ObjectSeen{id, after});
    else
      tell(kondctl::ObjectGone{id});
  });
}

void SimAcquire::end_watch(Duration delay, std::optional<Error> error) {
  later(delay, [this, stream = watch_.stream, id = watch_.id, error = std::move(error)] {
    if (stream != watch_.stream) return;
    ++watch_.stream;
    watch_.open = false;
    tell(kondctl::WatchEnded{id, error});
  });
}

void SimAcquire::wake_at(std::optional<MonoTime> time) {
  waking_ = time;
  if (!time) return;
  // The least is a millisecond: a machine that always wants to be woken must not stop the world.
  const Duration delay =
      *time <= clock_.mono() ? Duration{0} : std::chrono::duration_cast<Duration>(*time - clock_.mono());
  later(std::max<Duration>(delay, milliseconds{1}), [this, time] {
    if (waking_ != time) return;
    waking_.reset();
    tell(kondctl::Woken{});
  });
}

}  // namespace konductor::sim
