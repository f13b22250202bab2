#include "kube/time.hpp"
#include "runtime/claim_writes.hpp"
#include "runtime/kind_machine_impl.hpp"

#include <algorithm>
#include <utility>

namespace konductor::runtime {
namespace {

// A view that lags longer is replaced by a consistent list.
constexpr auto blocked_time = std::chrono::milliseconds{100};
constexpr auto mark_patience = std::chrono::seconds{30};  // longer than a view lags
constexpr std::int64_t many_claims = 500;
constexpr int list_page = 1000;  // claims; more of them in one answer could be more than is read of one
constexpr auto rest_per_claim = std::chrono::nanoseconds{300};

}  // namespace

void KindMachine::Impl::wake(Entry& entry, MonoTime at) {
  if (!entry.wake || at < *entry.wake) entry.wake = at;
}

/// Ends before tells, where there are crowds of both: who is gone or silent holds for as long as it is not ended. To a
/// new leader come all at once that became due while nobody led, and it is late for each of them.
bool KindMachine::Impl::has_room(Entry& entry, Urgency urgency) const {
  const auto all = std::max(1U, settings_.parallel);
  const auto kept_free = catching_up_ ? std::min(2U, all / 4) : all / 4;
  bool room = in_flight_.size() < (urgency == Urgency::tidy ? std::max(1U, all / 2) : all);
  if (urgency == Urgency::end) room = room && ends_in_flight_ < all - kept_free;
  if (!room) entry.starved = true;
  if (!room && urgency != Urgency::tidy) entry.passed_over = true;
  return room;
}

void KindMachine::Impl::send(InFlight sent, kube::Request request) {
  const auto id = next_id_++;
  if (sent.ends) ++ends_in_flight_;
  out_.push_back({id, std::move(request)});
  in_flight_.emplace(id, std::move(sent));
}

std::uint64_t KindMachine::Impl::view_rv(const Entry& entry) const {
  return std::max(view_.rv(), entry.fresh_rv);
}

LedgerView KindMachine::Impl::ledger_view(const Entry& entry) const {
  return {view_rv(entry), [this](const std::string& key) { return view_.find(key); }};
}

Duration KindMachine::Impl::ttl_of(const Claim& claim, const Entry& entry) const {
  return effective_ttl(claim, entry.primitive ? entry.primitive->ttl : 0, settings_.default_ttl);
}

bool KindMachine::Impl::can_send(KnownClaim& known, Entry& entry, Now now) {
  const auto& notes = known.notes;
  if (notes.busy) return false;
  if (!notes.refused_rv.empty() && notes.refused_rv != known.claim.resource_version) return true;
  if (now.mono >= notes.retry.not_before) return true;
  look_at(entry, known, notes.retry.not_before);
  return false;
}

/// The same, and its status may be written.
bool KindMachine::Impl::can_write(KnownClaim& known, Entry& entry, Now now) const {
  if (!can_send(known, entry, now)) return false;
  const auto& ns = known.claim.name.ns;
  if (writes_refused_.may_send(ns, now.mono)) return true;
  look_at(entry, known, writes_refused_.ask_again(ns, now.mono));
  return false;
}

void KindMachine::Impl::write_claim(KnownClaim& known, kube::Request request, Sent what, bool ending,
                                    std::vector<Announcement> announce) {
  const Claim& claim = known.claim;
  known.notes.busy = true;
  known.notes.ending = ending;
  if (what == Sent::claim_write) writes_refused_.sent(claim.name.ns);
  InFlight sent;
  sent.what = what;
  sent.primitive = claim.primitive;
  sent.claim_key = claim.key;
  sent.claim_uid = claim.uid;
  sent.resource_version = claim.resource_version;
  sent.announce = std::move(announce);
  // Where claims are only counted, what is written on them must leave room for what is written for them all.
  sent.ends = what == Sent::claim_write && (ending || holds(claim.phase) || kind_.mode != Mode::granted);
  send(std::move(sent), std::move(request));
}

void KindMachine::Impl::reconcile(Entry& entry, Now now) {
  entry.starved = entry.passed_over = false;
  keep_up(entry, now);
  forget_settled(entry);
  if (!entry.primitive || entry.primitive->deleting) {
    entry.holding = entry.waiting = 0;
    observed_.forget(entry.name);
    if (!entry.primitive && kind_.mode == Mode::granted) answer_orphans(entry, now);
    return;
  }
  const auto& primitive = *entry.primitive;
  if (entry.reread && !entry.busy && !entry.asking) {
    if (now.mono < entry.retry.not_before) return wake(entry, entry.retry.not_before);
    if (!has_room(entry, Urgency::grant)) return;
    ask_for_primitive(entry, primitive.uid, now);
  }
  const Ledger first{0, primitive.resource_version, {}};
  const Ledger ledger = settled(primitive.ledger.value_or(first), ledger_view(entry));
  if (withheld(now)) wake(entry, *started_ + settings_.withhold_grants);
  const auto sent_before = next_id_;
  if (primitive.ledger_error.empty() && kind_.mode == Mode::granted && !withheld(now)) tell_pending(entry, ledger, now);
  if (next_id_ != sent_before) {
    entry.dirty = true;  // who was granted hears of it before the next decision is thought about
    return;
  }
  if (entry.busy || entry.reread || entry.asking) return;
  if (now.mono < entry.retry.not_before) return wake(entry, entry.retry.not_before);
  decide_and_record(entry, ledger, now);
}

void KindMachine::Impl::ask_for_primitive(Entry& entry, const std::string& uid, Now now) {
  entry.asking = true;
  entry.asked_at = now.mono;
  InFlight sent;
  sent.what = Sent::reread;
  sent.primitive = entry.name;
  sent.primitive_uid = uid;
  for (const auto* known : view_.of(entry.name)) sent.claims_rv = std::max(sent.claims_rv, known->claim.rv);
  send(std::move(sent), kube::get(kind_.primitive_resource(), entry.name));
}

void KindMachine::Impl::tell_pending(Entry& entry, const Ledger& ledger, Now now) {
  const auto& primitive = *entry.primitive;
  entry.lags = false;
  for (const auto& grant : ledger.pending) {
    auto* known = view_.known(grant.claim, grant.uid);
    if (known == nullptr) entry.lags = true;
    if (known == nullptr || known->claim.phase != Phase::pending) continue;
    const Claim& claim = known->claim;
    if (!is_marked_for(claim, primitive.uid, primitive.created)) continue;
    if (!can_write(*known, entry, now) || !has_room(entry, Urgency::grant)) continue;
    write_claim(*known, tell(kind_, claim, grant, ttl_of(claim, entry), primitive.uid, now.server), Sent::claim_write,
                false);
  }
}

bool KindMachine::Impl::may_be_served(const KnownClaim& known, const Entry& entry) const {
  const Claim& claim = known.claim;
  if (claim.deleting || known.notes.ending || known.notes.over) return false;
  const auto& primitive = *entry.primitive;
  if (kind_.mode == Mode::granted) {
    if (!is_marked_for(claim, primitive.uid, primitive.created)) return false;
  } else if (claim.owner_uid.empty() ? claim.created < primitive.created : claim.owner_uid != primitive.uid) {
    return false;  // of a former life of the primitive
  }
  return true;
}

/// The mark of another life: of a former one, or of the next one, of which this operator has not heard yet. Who
/// replaced that would then tell what its own, former life had recorded. Only a GET that was sent since tells the two
/// apart.
bool KindMachine::Impl::may_mark(Entry& entry, const Claim& claim, Now now) {
  if (claim.mark.empty() || claim.rv <= entry.lived_rv) return true;
  if (!entry.asking && has_room(entry, Urgency::grant)) ask_for_primitive(entry, entry.primitive->uid, now);
  return false;
}

/// Before the first grant all of them: a stale leader may still hold the pending grants of the primitive's former life.
/// Later one without a mark is new in the primitive's first second, or another leader has marked it and the view does
/// not show that yet: nobody is served before it, for a while, unless the server refuses its mark.
bool KindMachine::Impl::mark_waiters(Entry& entry, const Ledger& ledger, Now now) {
  const auto& primitive = *entry.primitive;
  bool in_order = true;
  std::erase_if(entry.unmarked, [&](const std::string& key) {
    auto* known = view_.known(key);
    if (known == nullptr || known->claim.primitive != entry.name || known->claim.phase != Phase::pending ||
        !needs_mark(known->claim, primitive.uid, primitive.created, ledger))
      return true;
    if (may_mark(entry, known->claim, now) && has_room(entry, Urgency::grant) && can_write(*known, entry, now)) {
      write_claim(*known, acknowledge(kind_, known->claim, "Queued", "waits for its turn", primitive.uid, now.server),
                  Sent::claim_write, false);
    }
    in_order = in_order && known->notes.refused;
    return false;
  });
  if (entry.unmarked.empty()) {
    entry.marks_since.reset();
    return true;
  }
  if (ledger.last_token == 0) return false;
  if (!entry.marks_since) entry.marks_since = now.mono;
  const auto until = *entry.marks_since + mark_patience;
  if (in_order || now.mono >= until) return true;
  wake(entry, until);
  return false;
}

/// Before the first grant one claim whose mark fails holds up all of the primitive: people must see that, at once where
/// the server refuses it or any other write of that namespace, and where it fails again and again (a webhook that does
/// not answer is a 500).
void KindMachine::Impl::explain_missing_marks(Entry& entry, const Ledger& ledger, Now now) {
  if (ledger.last_token != 0) return;
  const auto unwritable = writes_refused_.words(entry.name.ns);
  for (const auto& key : entry.unmarked) {
    const auto* known = view_.known(key);
    if (known == nullptr || (unwritable.empty() && !known->notes.in_vain())) continue;
    return refuse(entry, ledger, "ClaimNotMarked",
                  "nothing is granted before " + key + ", which is as old as this " + kind_.names.singular +
                      ", is marked with its UID; the API server refuses that: " +
                      (unwritable.empty() ? known->notes.trouble + ". Mend what refuses it, or delete the claim"
                                          : unwritable + ". Mend what refuses it"),
                  now);
  }
}

/// For how many more grants.
std::size_t KindMachine::Impl::room_in(const Ledger& ledger) const {
  return settings_.batch - std::min<std::size_t>(settings_.batch, ledger.pending.size());
}

/// While an answer to a tell is certain to come, a few more grants at a time would each cost a record.
bool KindMachine::Impl::is_mid_batch(const Ledger& ledger, Now now) const {
  const auto room = room_in(ledger);
  if (room == 0) return !withheld(now);
  if (room >= settings_.batch / 2) return false;
  return std::ranges::any_of(ledger.pending, [this](const PendingGrant& grant) {
    const auto* known = view_.known(grant.claim, grant.uid);
    return known != nullptr && known->notes.busy;
  });
}

/// A look at many claims costs time for each: without a rest a burst of n events on n claims would cost n squared.
void KindMachine::Impl::rest(Entry& entry, Now now) const {
  const auto claims = static_cast<std::int64_t>(view_.of(entry.name).size());
  if (claims >= many_claims)
    entry.rest_until = now.mono + std::chrono::duration_cast<Duration>(claims * rest_per_claim);
}

void KindMachine::Impl::ask_for_fresh_list(Entry& entry, Now now) {
  if (!entry.blocked_since) entry.blocked_since = now.mono;
  const auto at = *entry.blocked_since + blocked_time;
  if (now.mono < at) return wake(entry, at);
  if (!has_room(entry, Urgency::grant)) return;
  entry.blocked_since = now.mono;
  list_claims(entry, now.server);
}

void KindMachine::Impl::list_claims(Entry& entry, WallTime time, const std::string& next_page, bool anew) {
  entry.asking = true;
  if (next_page.empty()) entry.listed.clear();
  InFlight sent;
  sent.what = Sent::fresh_list;
  sent.primitive = entry.name;
  sent.time = time;
  sent.page = next_page;
  sent.anew = anew;
  kube::ListOptions options;
  options.field_selector = "spec." + kind_.primitive_field + "=" + entry.name.name;
  options.limit = list_page;
  options.continue_token = next_page;
  send(std::move(sent), kube::list(kind_.claim_resource(), entry.name.ns, options));
}

/// Time is over only for who is not there. Who came before, and is not in the view yet, is no less in time: the watch
/// may be behind, and this process may have slept. So before anything is committed the claims are listed, if a moment
/// has come since the last list that a decision made then, of all that is known now, would have waited for.
bool KindMachine::Impl::must_list(const Entry& entry, const Ledger& ledger, const Decision& decision, Now now) {
  if (!decision.plan.state || !changes_state(*entry.primitive, *decision.plan.state)) return false;
  // A list of the future is from before the server's clock was set back.
  const auto listed = entry.listed_at <= std::max(decision.now, now.server) ? entry.listed_at : WallTime{};
  const auto since = plan_time(*entry.primitive, std::max(listed, WallTime{Duration{entry.primitive->created}}));
  const auto earlier = decide_at(std::min(since, decision.now), entry, ledger, now);
  if (!earlier || !earlier->plan.look_again_at) return false;
  const auto moment = WallTime{Duration{*earlier->plan.look_again_at}};
  return listed < moment && moment <= decision.now;
}

Result<Decision> KindMachine::Impl::decide_at(WallTime time, const Entry& entry, const Ledger& ledger, Now now) {
  const auto observed = observed_.shown_to(entry.name);
  return decide({.kind = kind_,
                 .primitive = *entry.primitive,
                 .claims = view_.of(entry.name),
                 .ledger = ledger,
                 .max_grants = withheld(now) ? 0 : static_cast<std::uint32_t>(room_in(ledger)),
                 .max_claims = settings_.max_claims,
                 .now = time,
                 .observed = observed,
                 .may_be_served = [&](const KnownClaim& known) { return may_be_served(known, entry); },
                 .deadline = [&](const KnownClaim& known) -> std::int64_t {
                   if (!holds(known.claim.phase)) return 0;
                   const auto left = known.notes.seen.stamp + ttl_of(known.claim, entry) - now.mono;
                   return (now.server + left).time_since_epoch().count();
                 }});
}

void KindMachine::Impl::decide_and_record(Entry& entry, const Ledger& ledger, Now now) {
  if (now.mono < entry.rest_until) return wake(entry, entry.rest_until);
  if (!has_room(entry, Urgency::grant)) return;
  const auto& primitive = *entry.primitive;
  if (quarantined_) return refuse(entry, ledger, "PluginQuarantined", quarantine_reason_, now);
  if (!primitive.ledger_error.empty()) return refuse(entry, ledger, "LedgerUnreadable", primitive.ledger_error, now);
  if (entry.not_stored == primitive.uid) {
    // A ledger without grants: if the server keeps it, somebody has mended the schema.
    if (now.mono >= entry.store_again) return write_status(entry, ledger, {}, nullptr, 0, false, now);
    wake(entry, entry.store_again);
    return refuse(entry, ledger, "LedgerNotStored", ledger_not_stored, now);
  }
  const bool granted_mode = kind_.mode == Mode::granted;
  // The first ledger's `seen` says from where on a view has to be complete; it is written before anything is granted.
  if (granted_mode &&
      !covers(view_rv(entry), primitive.ledger.value_or(ledger), primitive.ledger ? entry.own : std::nullopt)) {
    if (!primitive.ledger) return write_status(entry, ledger, {}, nullptr, 0, false, now);
    return ask_for_fresh_list(entry, now);
  }
  entry.blocked_since.reset();
  const auto time = decision_time(entry, now);
  rest(entry, now);
  if (granted_mode && !mark_waiters(entry, ledger, now)) return explain_missing_marks(entry, ledger, now);
  if (granted_mode && is_mid_batch(ledger, now)) return;
  const auto decision = decide_at(time, entry, ledger, now);
  ++counters_.decisions;
  if (decision && kind_.mode == Mode::counted && must_list(entry, ledger, *decision, now)) {
    if (!entry.unlisted.empty() && entry.retry.failures >= many_failures)
      refuse(entry, ledger, "ClaimsNotListed",
             "a moment has come that decides who is late, and who came in time cannot be listed: " + entry.unlisted,
             now);
    return list_claims(entry, std::max(time, now.server));
  }
  if (decision) return execute(entry, ledger, *decision, now);
  if (decision.error().code != Errc::plugin_incompatible)
    return refuse(entry, ledger, "InvalidSpec", decision.error().detail, now);
  quarantined_ = true;
  quarantine_reason_ = decision.error().detail;
  log(LogLine::Level::error, "quarantined until restart: " + quarantine_reason_);
  for (auto& [name, other] : entries_) other.dirty = true;
  refuse(entry, ledger, "PluginQuarantined", quarantine_reason_, now);
}

}  // namespace konductor::runtime
