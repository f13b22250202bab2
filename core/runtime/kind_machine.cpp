#include "runtime/kind_machine.hpp"

#include "kube/json_fields.hpp"
#include "kube/object_meta.hpp"
#include "kube/resource_version.hpp"
#include "runtime/kind_machine_impl.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace konductor::runtime {

using nlohmann::json;

namespace {

constexpr std::size_t few_appointments = 1000;
constexpr auto catching_up_time = std::chrono::seconds{1};

}  // namespace

Entry& KindMachine::Impl::entry(const kube::NamespacedName& name) {
  auto& found = entries_[name];
  found.name = name;
  return found;
}

void KindMachine::Impl::log(LogLine::Level level, std::string text) {
  constexpr std::size_t most_lines = 1000;  // between two take_log(); the rest would say the same
  if (log_.size() < most_lines) log_.push_back({level, kind_.names.singular + ": " + std::move(text)});
}

void KindMachine::Impl::put_primitive(const std::shared_ptr<const json>& object) {
  auto parsed = parse_primitive(object);
  if (!parsed) return log(LogLine::Level::warning, "left out: " + parsed.error().detail);
  auto& known = entry(parsed->name);
  if (parsed->uid == known.gone_uid) return;  // an answer that came later than the watch
  if (known.primitive && known.primitive->rv != 0 && known.primitive->rv >= parsed->rv) return;
  if (!known.primitive || known.primitive->uid != parsed->uid) {
    known.own.reset();
    known.lived_rv = 0;
    known.events.clear();
  }
  const auto& former = known.primitive;
  if (!former || former->uid != parsed->uid || former->ttl != parsed->ttl) review(known);
  known.primitive = std::move(*parsed);
  known.dirty = true;
}

void KindMachine::Impl::on_primitive(const ViewEvent& event, Now now) {
  if (!started_) started_ = now.mono;
  switch (event.kind) {
    case ViewEvent::Kind::begin:
      listed_.clear();
      listing_ = true;
      break;
    case ViewEvent::Kind::apply:
      if (const auto meta = kube::parse_meta(*event.object); meta && listing_) listed_.insert({meta->ns, meta->name});
      put_primitive(event.object);
      break;
    case ViewEvent::Kind::remove:
      if (const auto meta = kube::parse_meta(*event.object)) {
        auto& known = entry({meta->ns, meta->name});
        known.gone_uid = meta->uid;
        if (known.primitive && known.primitive->uid == meta->uid) known.primitive.reset();
        review(known);
      }
      break;
    case ViewEvent::Kind::synced:
      for (auto& [name, known] : entries_) {
        if (listed_.contains(name) || !known.primitive) continue;
        if (known.primitive->rv > kube::parse_resource_version(event.resource_version).value_or(0)) continue;
        known.gone_uid = known.primitive->uid;
        known.primitive.reset();
        review(known);
      }
      listed_.clear();
      listing_ = false;
      primitives_synced_ = true;
      for (auto& [name, known] : entries_) known.dirty = true;
      break;
    case ViewEvent::Kind::progress:
    case ViewEvent::Kind::failed: break;
  }
}

void KindMachine::Impl::note(const ClaimView::Change& change, Now now) {
  for (const auto& uid : change.gone) {
    if (const auto pod = pod_of_.find(uid); pod != pod_of_.end()) {
      if (pods_.forget(pod->second)) pod_retry_.erase(pod->second);
      pod_of_.erase(pod);
    }
  }
  if (change.applied != nullptr) {
    const Claim* claim = &change.applied->claim;
    auto& notes = change.applied->notes;
    const bool is_new = notes.stamp.empty();
    if (is_new) notes.first_seen = now.mono;
    const bool seen_revoking = !is_new && notes.seen.revoking != MonoTime::max();
    if (restarts_clock(notes.stamp, *claim, seen_revoking)) {
      notes.stamp = clock_stamp(*claim);
      notes.seen.stamp = now.mono;
    }
    if (claim->phase != Phase::revoking) {
      notes.seen.revoking = MonoTime::max();
    } else if (!seen_revoking) {
      notes.seen.revoking = now.mono;
    }
    if (!claim->pod_uid.empty() && pod_of_.emplace(claim->uid, claim->pod_uid).second) pods_.refer(claim->pod_uid);
    auto& of = entry(claim->primitive);
    of.last_claim = now.mono;
    look_at(of, *change.applied, now.mono);
  }
  for (const auto& name : change.primitives) entry(name).dirty = true;
}

void KindMachine::Impl::on_claim(const ViewEvent& event, Now now) {
  const auto rv = kube::parse_resource_version(event.resource_version).value_or(0);
  switch (event.kind) {
    case ViewEvent::Kind::begin: note(view_.begin(), now); break;
    case ViewEvent::Kind::apply:
    case ViewEvent::Kind::remove: {
      auto claim = parse_claim(*event.object, kind_);
      if (!claim) {
        log(LogLine::Level::warning, "left out: " + claim.error().detail);
        view_.progress(rv);
        break;
      }
      note(event.kind == ViewEvent::Kind::apply ? view_.apply(std::move(*claim)) : view_.remove(*claim), now);
      break;
    }
    case ViewEvent::Kind::synced:
      note(view_.synced(rv), now);
      for (auto& [name, known] : entries_) known.dirty = true;
      break;
    case ViewEvent::Kind::progress: view_.progress(rv); break;
    case ViewEvent::Kind::failed: break;
  }
  // Whoever waits for a newer view has it now, although none of its own claims changed.
  for (auto& [name, known] : entries_)
    if (known.blocked_since || known.lags) known.dirty = true;
}

void KindMachine::Impl::pod_changed(const std::string& uid, Now now) {
  for (auto* known : view_.of_pod(uid)) {
    auto& of = entry(known->claim.primitive);
    of.dirty = true;
    look_at(of, *known, now.mono);
  }
}

void KindMachine::Impl::on_pod(const ViewEvent& event, Now now) {
  const auto rv = kube::parse_resource_version(event.resource_version).value_or(0);
  switch (event.kind) {
    case ViewEvent::Kind::begin: pods_.begin(); break;
    case ViewEvent::Kind::apply: {
      const auto uid = kube::text_at(*event.object, "metadata.uid");
      if (pods_.apply(uid, rv) && pods_.is_named(uid)) pod_changed(uid, now);
      break;
    }
    case ViewEvent::Kind::remove: {
      const auto uid = kube::text_at(*event.object, "metadata.uid");
      pods_.remove(uid, rv);
      pod_changed(uid, now);
      break;
    }
    case ViewEvent::Kind::synced:
      pods_.synced(rv);
      for (auto& [name, known] : entries_) review(known);
      break;
    case ViewEvent::Kind::progress: pods_.progress(rv); break;
    case ViewEvent::Kind::failed: break;
  }
}

void KindMachine::Impl::on_observed(const WatchTarget& target, const ViewEvent& event) {
  for (const auto& name : observed_.on_event(target, event)) entry(name).dirty = true;
}

void KindMachine::Impl::lead(bool leading, Now now) {
  if (leading && !leading_) led_since_ = now.mono;
  leading_ = leading;
  for (auto& [name, known] : entries_) review(known);
}

std::vector<Outgoing> KindMachine::Impl::work(Now now) {
  if (throttled_until_ && now.mono >= *throttled_until_) throttled_until_.reset();
  catching_up_ = leading_ && now.mono < led_since_ + catching_up_time;
  if (can_work() && !throttled_until_) {
    if (turn_ && !entries_.contains(*turn_)) turn_.reset();
    const auto first = entries_.lower_bound(turn_.value_or(kube::NamespacedName{}));
    for (auto at = first; at != entries_.end(); ++at) serve(at->second, now);
    for (auto at = entries_.begin(); at != first; ++at) serve(at->second, now);
  }
  std::erase_if(entries_, [this](const auto& named) {
    const auto& known = named.second;
    return !known.primitive && !known.busy && !known.asking && view_.of(known.name).empty();
  });
  return std::exchange(out_, {});
}

void KindMachine::Impl::serve(Entry& entry, Now now) {
  if (entry.wake && *entry.wake <= now.mono) entry.dirty = true;
  if (!entry.dirty && next_due(entry, now) == nullptr) return;
  // Appointments that no longer stand would each stay until their time, which may be a long time to live away.
  if (entry.agenda.size() > 2 * view_.of(entry.name).size() + few_appointments) review(entry);
  const auto sent_before = next_id_;
  entry.dirty = false;
  entry.wake.reset();
  reconcile(entry, now);
  // In turn: who found no room at all comes first until it has found some.
  if (!entry.passed_over || next_id_ != sent_before) {
    if (turn_ == entry.name) turn_.reset();
  } else if (!turn_) {
    turn_ = entry.name;
  }
}

std::optional<MonoTime> KindMachine::Impl::wake_at() const {
  std::optional<MonoTime> earliest;
  if (!can_work()) return earliest;
  if (throttled_until_) return throttled_until_;
  for (const auto& [name, known] : entries_) {
    if (known.dirty) return MonoTime::min();
    if (known.wake && (!earliest || *known.wake < *earliest)) earliest = known.wake;
    if (const auto* next = known.agenda.next(); next && (!earliest || next->first < *earliest)) earliest = next->first;
  }
  return earliest;
}

KindMachine::Counters KindMachine::Impl::counters() const {
  auto result = counters_;
  result.claims = view_.size();
  result.in_flight = in_flight_.size();
  result.quarantined = quarantined_;
  for (const auto& [name, known] : entries_) {
    if (known.primitive) ++result.primitives;
    result.holding += known.holding;
    result.waiting += known.waiting;
  }
  return result;
}

KindMachine::KindMachine(KindDeclaration kind, KindSettings settings)
    : impl_(std::make_unique<Impl>(std::move(kind), std::move(settings))) {}
KindMachine::~KindMachine() = default;
KindMachine::KindMachine(KindMachine&&) noexcept = default;
KindMachine& KindMachine::operator=(KindMachine&&) noexcept = default;
void KindMachine::on_primitive(const ViewEvent& event, Now now) {
  impl_->on_primitive(event, now);
}
void KindMachine::on_claim(const ViewEvent& event, Now now) {
  impl_->on_claim(event, now);
}
void KindMachine::on_pod(const ViewEvent& event, Now now) {
  impl_->on_pod(event, now);
}
void KindMachine::on_observed(const WatchTarget& target, const ViewEvent& event, Now /*now*/) {
  impl_->on_observed(target, event);
}
void KindMachine::on_answer(std::uint64_t id, const Result<kube::Response>& answer, Now now) {
  impl_->on_answer(id, answer, now);
}
void KindMachine::lead(bool leading, Now now) {
  impl_->lead(leading, now);
}
std::vector<Outgoing> KindMachine::work(Now now) {
  return impl_->work(now);
}
std::optional<MonoTime> KindMachine::wake_at() const {
  return impl_->wake_at();
}
const std::set<WatchTarget>& KindMachine::watch_targets() const {
  return impl_->watch_targets();
}
bool KindMachine::synced() const {
  return impl_->synced();
}
const KindDeclaration& KindMachine::kind() const {
  return impl_->kind();
}
std::vector<KindMachine::LogLine> KindMachine::take_log() {
  return impl_->take_log();
}
KindMachine::Counters KindMachine::counters() const {
  return impl_->counters();
}

}  // namespace konductor::runtime
