#include "tests/sim/sim_operator.hpp"

#include <algorithm>

namespace konductor::sim {

using runtime::KindMachine;
using std::chrono::milliseconds;
using std::chrono::seconds;

SimOperator::SimOperator(World& world, int number, runtime::KindDeclaration kind, OnExecute on_execute)
    : world_(world),
      name_("operator-" + std::to_string(number)),
      kind_(std::move(kind)),
      on_execute_(std::move(on_execute)) {}

runtime::Now SimOperator::now() const {
  return {world_.mono(clock_offset_), world_.wall() - date_error_};
}

std::unique_ptr<ViewFeed> SimOperator::feed(kube::Resource resource, std::string_view selector,
                                            void (KindMachine::*sink)(const runtime::ViewEvent&, runtime::Now)) {
  const bool claims = resource == kind_.claim_resource();
  auto made = std::make_unique<ViewFeed>(
      world_, std::move(resource), selector, [this, sink, claims, life = life_](const runtime::ViewEvent& event) {
        if (life != life_) return;
        deliver([this, sink, claims, event] {
          if (claims && !event.resource_version.empty() && event.kind != runtime::ViewEvent::Kind::failed) {
            // Objects of a list that is not complete yet say nothing about what else is there.
            const bool complete = event.kind != runtime::ViewEvent::Kind::apply || machine_->synced();
            if (complete) claims_seen_ = std::max<std::uint64_t>(claims_seen_, std::stoull(event.resource_version));
          }
          (machine_.get()->*sink)(event, now());
        });
      });
  made->start();
  return made;
}

void SimOperator::start() {
  runtime::KindSettings settings;
  settings.identity = name_;
  settings.default_ttl = seconds{30};
  settings.keep_terminal = seconds{60};
  clock_offset_ = world_.rng().between(seconds{1}, seconds{100000});
  date_error_ = world_.rng().between(milliseconds{0}, milliseconds{999});
  machine_ = std::make_unique<KindMachine>(kind_, settings);
  claims_seen_ = 0;
  feeds_.push_back(feed(kind_.primitive_resource(), "", &KindMachine::on_primitive));
  feeds_.push_back(feed(kind_.claim_resource(), "", &KindMachine::on_claim));
  feeds_.push_back(feed({"", "v1", "pods"}, "status.phase!=Succeeded,status.phase!=Failed", &KindMachine::on_pod));
  machine_->lead(leading_, now());
  pump();
}

void SimOperator::crash() {
  ++life_;
  machine_.reset();
  feeds_.clear();
  unanswered_.clear();
  held_back_.clear();
  waking_.reset();
  paused_until_ = Duration{0};
}

void SimOperator::pause(Duration length) {
  paused_until_ = std::max(paused_until_, world_.elapsed() + length);
  world_.after(length, [this, life = life_] {
    if (life == life_ && world_.elapsed() >= paused_until_) go_on();
  });
}

void SimOperator::go_on() {
  paused_until_ = Duration{0};
  for (const auto life = life_; life == life_ && !held_back_.empty();) {
    const auto what = std::move(held_back_.front());
    held_back_.pop_front();
    what();
    pump();
  }
}

void SimOperator::lead(bool leading) {
  leading_ = leading;
  if (machine_ != nullptr) deliver([this] { machine_->lead(leading_, now()); });
}

void SimOperator::on_commit(const Commit& commit) {
  for (const auto& feed : feeds_) feed->on_commit(commit);
}

void SimOperator::deliver(std::function<void()> what) {
  if (world_.elapsed() < paused_until_) {
    held_back_.push_back(std::move(what));
    return;
  }
  what();
  pump();
}

void SimOperator::send(const runtime::Outgoing& outgoing) {
  const std::uint64_t id = outgoing.id;
  Knowledge knowledge{claims_seen_, {}, world_.wall()};
  for (const auto& [other, target] : unanswered_) knowledge.unanswered.push_back(target);
  unanswered_[id] = outgoing.request.target;
  world_.send(
      name_, outgoing.request,
      [this, id, life = life_](const Result<kube::Response>& answer) {
        if (life != life_) return;
        deliver([this, id, answer] {
          unanswered_.erase(id);
          machine_->on_answer(id, answer, now());
        });
      },
      [this, knowledge = std::move(knowledge)] { on_execute_(knowledge); });
}

void SimOperator::pump() {
  if (world_.elapsed() < paused_until_) return;
  for (const runtime::Outgoing& outgoing : machine_->work(now())) send(outgoing);
  for (KindMachine::LogLine& line : machine_->take_log()) {
    log_.push_back(kube::to_rfc3339_micro(world_.wall()) + " " + name_ + " " + line.text);
  }
  const std::optional<MonoTime> wake = machine_->wake_at();
  if (!wake) return;
  // The least is a millisecond: a machine that always wants to be woken must not stop the world.
  const Duration delay = std::max<Duration>(*wake <= now().mono ? Duration{0} : *wake - now().mono, milliseconds{1});
  const Duration at = world_.elapsed() + delay;
  if (waking_ && *waking_ <= at) return;
  waking_ = at;
  world_.after(delay, [this, life = life_, at] {
    if (life != life_ || waking_ != at) return;
    waking_.reset();
    deliver([] {});
  });
}

std::string SimOperator::counters() const {
  if (machine_ == nullptr) return name_ + " does not run";
  const auto counters = machine_->counters();
  return name_ + (machine_->synced() ? "" : " has not listed everything,") + (leading_ ? " leads," : "") + " records " +
         std::to_string(counters.records) + " grants " + std::to_string(counters.grants) + " conflicts " +
         std::to_string(counters.conflicts) + " in flight " + std::to_string(counters.in_flight) + " waiting " +
         std::to_string(counters.waiting) + " holding " + std::to_string(counters.holding);
}

}  // namespace konductor::sim
