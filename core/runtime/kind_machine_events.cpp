#include "runtime/kind_machine_impl.hpp"

#include <algorithm>
#include <utility>

namespace konductor::runtime {
namespace {

constexpr std::size_t most_in_flight = 8;
constexpr std::size_t most_remembered = 64;

}  // namespace

EventSubject KindMachine::Impl::subject_of(const Entry& entry) const {
  return {kind_.names.kind, entry.name, entry.primitive->uid, entry.primitive->resource_version};
}

EventSubject KindMachine::Impl::subject_of(const Claim& claim) const {
  return {kind_.claim.kind, claim.name, claim.uid, claim.resource_version};
}

/// What is told of a claim that ends: on the claim, and where a holder fell silent on its primitive too, because that
/// is where people look. That it was merely not its turn is told by its condition alone.
std::vector<Announcement> KindMachine::Impl::about_end(const Entry& entry, const Claim& claim,
                                                       const Ending& ending) const {
  if (ending.reason == not_now) return {};
  const bool by_pod = ending.reason == pod_gone || ending.reason == pod_finished;
  std::vector<Announcement> all = {{subject_of(claim), {!by_pod, ending.reason, ending.message}}};
  if (!by_pod && holds(claim.phase) && entry.primitive) {
    const std::string who = claim.holder.empty() ? std::string{} : " of " + claim.holder;
    all.push_back({subject_of(entry), {true, ending.reason, claim.key + who + ": " + ending.message}});
  }
  return all;
}

void KindMachine::Impl::tell_events(Entry& entry, const std::vector<PlanEvent>& events, Now now) {
  for (const auto& event : events) {
    if (entry.events.size() >= most_remembered) entry.events.clear();
    if (entry.events.emplace(event.reason, event.message).second)
      announce(entry.name, {{subject_of(entry), event}}, now);
  }
}

/// Best effort: the first that are left out where there is much to do.
void KindMachine::Impl::announce(const kube::NamespacedName& primitive, const std::vector<Announcement>& all, Now now) {
  for (const auto& one : all) {
    if (events_in_flight_ >= most_in_flight || in_flight_.size() >= std::max(1U, settings_.parallel / 2)) return;
    if (throttled_until_ || !event_pacer_.take(now.mono)) return;
    ++events_in_flight_;
    InFlight sent;
    sent.what = Sent::event;
    sent.primitive = primitive;
    send(std::move(sent), event_write(one, settings_.component, next_event_++, now.server));
  }
}

}  // namespace konductor::runtime
