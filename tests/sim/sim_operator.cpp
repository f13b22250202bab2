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

Process SimOperator::process() {
  return {name_, clock_.get(), [this, life = life_](std::function<void()> what) {
            if (life == life_) deliver(std::move(what));
          }};
}

void SimOperator::watch(kube::Resource resource, const std::string& selector,
                        void (KindMachine::*sink)(const runtime::ViewEvent&, runtime::Now)) {
  const bool claims = resource == kind_.claim_resource();
  runtime::WatchSettings settings;
  settings.metadata_only = resource.plural == "pods";
  settings.resource = std::move(resource);
  settings.field_selector = selector;
  settings.page = world_.rng().chance(500) ? 3 : 500;
  settings.timeout_s = 20;
  settings.idle_slack = seconds{5};
  settings.retry_most = seconds{5};
  watches_.push_back(
      std::make_unique<SimWatch>(world_, process(), settings, [this, sink, claims](const runtime::ViewEvent& event) {
        if (claims && !event.resource_version.empty() && event.kind != runtime::ViewEvent::Kind::failed) {
          // Objects of a list that is not complete yet say nothing about what else is there.
          const bool complete = event.kind != runtime::ViewEvent::Kind::apply || machine_->synced();
          if (complete) claims_seen_ = std::max<std::uint64_t>(claims_seen_, std::stoull(event.resource_version));
        }
        (machine_.get()->*sink)(event, clock_->now());
      }));
  watches_.back()->start();
}

void SimOperator::start() {
  if (elector_) crash();  // it was shutting down still
  runtime::KindSettings settings;
  settings.identity = name_;
  settings.default_ttl = seconds{30};
  settings.keep_terminal = seconds{60};
  Rng& rng = world_.rng();
  clock_ = std::make_unique<SimClock>(world_, rng.between(seconds{1}, seconds{100000}),
                                      rng.between(-seconds{3600}, seconds{3600}));
  machine_ = std::make_unique<KindMachine>(kind_, settings);
  claims_seen_ = 0;
  leading_ = false;
  watch(kind_.primitive_resource(), "", &KindMachine::on_primitive);
  watch(kind_.claim_resource(), "", &KindMachine::on_claim);
  watch({"", "v1", "pods"}, "status.phase!=Succeeded,status.phase!=Failed", &KindMachine::on_pod);
  if (stands_) {
    elector_ = std::make_unique<SimElector>(world_, process(), identity());
    elector_->start();
  }
  pump();
}

void SimOperator::crash() {
  ++life_;
  machine_.reset();
  elector_.reset();
  watches_.clear();
  unanswered_.clear();
  held_back_.clear();
  waking_.reset();
  paused_until_ = Duration{0};
}

void SimOperator::shut_down() {
  deliver([this] {
    machine_.reset();
    watches_.clear();
    if (!elector_) return crash();
    elector_->shut_down([this] { crash(); });
  });
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

bool SimOperator::leads() const {
  return running() && decreed_.value_or(elector_ && elector_->leading());
}

void SimOperator::lead(bool leading) {
  decreed_ = leading;
  if (running()) deliver([] {});
}

void SimOperator::lead_as_elected() {
  decreed_.reset();
  if (running()) deliver([] {});
}

void SimOperator::jump_clock(Duration by) {
  if (clock_) clock_->jump(by);
}

void SimOperator::on_commit(const Commit& commit) {
  for (const auto& watch : watches_) watch->on_commit(commit);
}

void SimOperator::catch_up() {
  for (const auto& watch : watches_) watch->catch_up();
}

void SimOperator::deliver(std::function<void()> what) {
  if (paused()) {
    held_back_.push_back(std::move(what));
    return;
  }
  what();
  pump();
}

void SimOperator::send(const runtime::Outgoing& outgoing) {
  const std::uint64_t id = outgoing.id;
  if (on_send) on_send(*this, outgoing.request);
  Knowledge knowledge{claims_seen_, {}, clock_->now().server, world_.elapsed()};
  for (const auto& [other, target] : unanswered_) knowledge.unanswered.push_back(target);
  unanswered_[id] = outgoing.request.target;
  Sending sending{.request = outgoing.request};
  sending.before_commit = [this, knowledge = std::move(knowledge)] { on_execute_(knowledge); };
  world_.send(name_, std::move(sending), [this, id, life = life_](const Result<kube::Response>& answer) {
    if (life != life_) return;
    deliver([this, id, answer] {
      if (machine_ == nullptr) return;
      clock_->learn(answer);
      unanswered_.erase(id);
      machine_->on_answer(id, answer, clock_->now());
    });
  });
}

void SimOperator::pump() {
  if (machine_ == nullptr || paused()) return;
  if (const bool may = leads(); may != leading_) {
    leading_ = may;
    machine_->lead(may, clock_->now());
  }
  for (const runtime::Outgoing& outgoing : machine_->work(clock_->now())) send(outgoing);
  for (KindMachine::LogLine& line : machine_->take_log()) {
    log_.push_back(kube::to_rfc3339_micro(world_.wall()) + " " + name_ + " " + line.text);
  }
  const std::optional<MonoTime> wake = machine_->wake_at();
  if (!wake) return;
  // The least is a millisecond: a machine that always wants to be woken must not stop the world.
  const MonoTime now = clock_->mono();
  const Duration delay = std::max<Duration>(*wake <= now ? Duration{0} : *wake - now, milliseconds{1});
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
  return name_ + (machine_->synced() ? "" : " has not listed everything,") + (leads() ? " leads," : "") + " records " +
         std::to_string(counters.records) + " grants " + std::to_string(counters.grants) + " conflicts " +
         std::to_string(counters.conflicts) + " in flight " + std::to_string(counters.in_flight) + " waiting " +
         std::to_string(counters.waiting) + " holding " + std::to_string(counters.holding);
}

}  // namespace konductor::sim
