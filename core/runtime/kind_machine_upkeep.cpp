#include "runtime/claim_writes.hpp"
#include "runtime/kind_machine_impl.hpp"

#include <utility>

namespace konductor::runtime {
namespace {

constexpr auto doubtful_time = std::chrono::seconds{1};  // between looks at a Pod of which the watch says nothing

}  // namespace

/// Who is reviewed with all others needs no appointment; neither does a standby, which is reviewed when it leads.
void KindMachine::Impl::look_at(Entry& entry, KnownClaim& known, MonoTime at) {
  if (entry.review || at >= known.notes.look_at) return;
  known.notes.look_at = at;
  entry.agenda.add(at, known.claim.key);
}

void KindMachine::Impl::review(Entry& entry) {
  entry.dirty = true;
  entry.review = true;
  entry.agenda = {};
}

/// The claim of the next appointment, if its time has come. One does not stand if it was moved forward, or its claim is
/// gone.
KnownClaim* KindMachine::Impl::next_due(Entry& entry, Now now) {
  for (const auto* next = entry.agenda.next(); next != nullptr && next->first <= now.mono; next = entry.agenda.next()) {
    auto* known = view_.known(next->second);
    if (known != nullptr && known->claim.primitive == entry.name && known->notes.look_at == next->first) return known;
    entry.agenda.drop_next();
  }
  return nullptr;
}

void KindMachine::Impl::keep_up(Entry& entry, Now now) {
  if (std::exchange(entry.review, false)) {
    entry.crowded_out = {};
    entry.unmarked.clear();
    entry.unsettled.clear();
    entry.marks_since.reset();
    for (auto* known : view_.of(entry.name)) {
      known->notes.look_at = MonoTime::max();
      known->notes.crowded_out = false;
      attend(entry, *known, now);
    }
    return;
  }
  attend_crowded_out(entry, entry.crowded_out.first, Urgency::end, now);
  attend_crowded_out(entry, entry.crowded_out.ends, Urgency::end, now);
  attend_crowded_out(entry, entry.crowded_out.removals, Urgency::tidy, now);
  while (auto* known = next_due(entry, now)) {
    entry.agenda.drop_next();
    known->notes.look_at = MonoTime::max();
    attend(entry, *known, now);
  }
}

void KindMachine::Impl::attend_crowded_out(Entry& entry, std::deque<std::string>& keys, Urgency urgency, Now now) {
  while (!keys.empty() && has_room(entry, urgency)) {
    auto* known = view_.known(keys.front());
    keys.pop_front();
    if (known == nullptr || known->claim.primitive != entry.name) continue;
    if (!std::exchange(known->notes.crowded_out, false)) continue;
    attend(entry, *known, now);
  }
}

void KindMachine::Impl::crowd_out(Entry& entry, KnownClaim& known, bool removal) {
  if (std::exchange(known.notes.crowded_out, true)) return;
  auto& crowd = entry.crowded_out;
  // What frees something, or is to be counted, before what only ends.
  const bool first = holds(known.claim.phase) || known.notes.over || known.notes.participant;
  (removal ? crowd.removals : first ? crowd.first : crowd.ends).push_back(known.claim.key);
}

/// What the claim's own time and Pod ask for: now, or else an appointment for when they will.
void KindMachine::Impl::attend(Entry& entry, KnownClaim& known, Now now) {
  const Claim& claim = known.claim;
  known.notes.pod = pods_.state(claim.pod_uid);
  known.notes.over = false;
  if (kind_.mode == Mode::granted && claim.phase == Phase::pending && entry.primitive) {
    const bool none_granted = !entry.primitive->ledger || entry.primitive->ledger->last_token == 0;
    if (none_granted || !is_marked_for(claim, entry.primitive->uid, entry.primitive->created))
      entry.unmarked.insert(claim.key);
  }
  if (is_too_old(claim, entry)) return deny_as_too_old(entry, known, now);
  if (is_unsettled(claim)) {
    entry.unsettled.insert(claim.key);
    find_participant(entry, known, now);
  }
  if (known.notes.discarded) discard(entry, known, now);
  if (!has_lifetime() && !is_terminal(claim.phase)) return;
  if (!is_terminal(claim.phase)) ask_about_pod(entry, known, now);
  const auto ttl = kind_.mode == Mode::granted ? std::optional(ttl_of(claim, entry)) : std::nullopt;
  const auto due = upkeep(claim, known.notes.seen, ttl, pod_state(known), settings_.keep_terminal, now.mono);
  known.notes.over = due.end.has_value();
  if (due.due) look_at(entry, known, *due.due);
  if (!due.end && !due.remove) return;
  if (due.remove ? !can_send(known, entry, now) : !can_write(known, entry, now)) return;
  if (!has_room(entry, due.remove ? Urgency::tidy : Urgency::end)) return crowd_out(entry, known, due.remove);
  if (due.remove) return write_claim(known, remove_claim(kind_, claim), Sent::removal, true);
  log(LogLine::Level::info, claim.key + " " + std::string(to_string(due.end->phase)) + ": " + due.end->message);
  ++counters_.expiries;
  write_claim(known, end_claim(kind_, claim, *due.end, now.server), Sent::claim_write, true,
              about_end(entry, claim, *due.end));
}

/// Without an owner nobody knows whether it was meant for a former life of its primitive: it can never be counted.
bool KindMachine::Impl::is_too_old(const Claim& claim, const Entry& entry) const {
  return kind_.mode == Mode::counted && entry.primitive && claim.phase == Phase::pending && !claim.deleting &&
         claim.owner_uid.empty() && claim.created < entry.primitive->created;
}

void KindMachine::Impl::deny_as_too_old(Entry& entry, KnownClaim& known, Now now) {
  if (!can_write(known, entry, now)) return;
  if (!has_room(entry, Urgency::tidy)) return crowd_out(entry, known, true);
  ++counters_.denials;
  const auto what = kind_.names.singular + " " + entry.name.name;
  deny(entry, known,
       {Phase::denied, "Older",
        "it is older than " + what +
            ", and may have been meant for one of that name that was deleted: delete it and "
            "make it anew"},
       now);
}

void KindMachine::Impl::ask_about_pod(Entry& entry, KnownClaim& known, Now now) {
  const Claim& claim = known.claim;
  if (kind_.claim_lifetime != Lifetime::with_pod || claim.pod_uid.empty() || !pods_.is_doubtful(claim.pod_uid)) return;
  if (!kube::is_dns_subdomain(claim.pod_name)) {
    known.notes.pod = PodState::gone;  // of this claim: others may say the name of the Pod of that UID
    return;
  }
  if (pods_asked_.contains(claim.pod_uid)) return;
  if (const auto retry = pod_retry_.find(claim.pod_uid);
      retry != pod_retry_.end() && now.mono < retry->second.not_before)
    return look_at(entry, known, retry->second.not_before);
  if (!pods_.wants_question(claim.pod_uid)) return look_at(entry, known, now.mono + doubtful_time);
  if (!has_room(entry, Urgency::end)) return crowd_out(entry, known, false);
  pods_asked_.insert(claim.pod_uid);
  InFlight sent;
  sent.what = Sent::pod_question;
  sent.ends = true;
  sent.primitive = claim.primitive;
  sent.claim_key = claim.name.ns + "/" + claim.pod_name;
  sent.pod_uid = claim.pod_uid;
  send(std::move(sent), kube::get({"", "v1", "pods"}, {claim.name.ns, claim.pod_name}));
}

// Claims that go with their primitive outlive their Pods; one that holds has a TTL all the same.
bool KindMachine::Impl::has_lifetime() const {
  return kind_.claim_lifetime == Lifetime::with_pod || kind_.mode == Mode::granted;
}

PodState KindMachine::Impl::pod_state(const KnownClaim& known) const {
  return kind_.claim_lifetime == Lifetime::with_pod ? known.notes.pod : PodState::none;
}

}  // namespace konductor::runtime
