#include "kube/resource_version.hpp"
#include "kube/time.hpp"
#include "runtime/claim_writes.hpp"
#include "runtime/kind_machine_impl.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace konductor::runtime {
namespace {

using nlohmann::json;

constexpr auto settle_time = std::chrono::milliseconds{250};  // a claim that waits longer is told why
constexpr auto shortest_look = std::chrono::milliseconds{5};  // a plugin that looks into the past cannot spin us
constexpr auto longest_look = std::chrono::hours{24};
constexpr auto answer_time = std::chrono::seconds{5};  // a plan waits so long for what it needs to see
constexpr int most_held = 3;                           // a plugin that asks for something else each time cannot spin us
constexpr std::size_t most_holder_lines = 10;

bool is_refused(const Verdict* verdict) {
  return verdict != nullptr && verdict->kind == VerdictKind::deny;
}

/// What a claim that is not served hears; `verdict` is null where the plugin said nothing of it.
Ending waiting_of(const Verdict* verdict) {
  Ending waits{Phase::pending, "Queued", "waits for its turn"};
  if (verdict != nullptr && !verdict->reason.empty()) waits.reason = verdict->reason;
  if (verdict != nullptr && !verdict->message.empty()) waits.message = verdict->message;
  return waits;
}

Ending denial_of(const Verdict* verdict) {
  const bool never = verdict != nullptr && verdict->reason == exceeds_limit;
  return {Phase::denied, is_refused(verdict) || never ? verdict->reason : not_now, waiting_of(verdict).message};
}

/// In place of the one of its type.
void put(std::vector<PlanCondition>& conditions, PlanCondition condition) {
  std::erase_if(conditions, [&](const auto& other) { return other.type == condition.type; });
  conditions.push_back(std::move(condition));
}

}  // namespace

void KindMachine::Impl::refuse(Entry& entry, const Ledger& ledger, const std::string& reason,
                               const std::string& message, Now now) {
  ShownStatus shown;
  shown.selector = scale_selector(kind_, entry.name);
  shown.conditions.push_back({"Ready", ConditionStatus::false_, reason, message});
  const auto& primitive = *entry.primitive;
  const auto differs = difference(primitive, shown, now.server);
  if (!differs.urgent) return;
  if (primitive.ledger_error.empty() && entry.not_stored != primitive.uid)
    return write_status(entry, ledger, shown, nullptr, 0, false, now);
  // A ledger that cannot be read or kept stays as it is: somebody has to look at it.
  if (entry.quiet_until && now.mono < *entry.quiet_until) return wake(entry, *entry.quiet_until);
  entry.busy = true;
  InFlight sent;
  sent.what = Sent::record;
  sent.primitive = entry.name;
  sent.primitive_uid = primitive.uid;
  sent.resource_version = primitive.resource_version;
  for (const auto& event : differs.events) sent.announce.push_back({subject_of(entry), event});
  send(std::move(sent), record(kind_, primitive, nullptr, nullptr, differs));
}

void KindMachine::Impl::record_grants(const Entry& entry, const Decision& decision, Ledger& ledger) const {
  // Who was told by a former life was never in this ledger's pending: from the first grant on, a view counts only if it
  // shows them.
  if (ledger.last_token == 0 && decision.grants > 0) {
    for (const auto* known : view_.of(entry.name)) {
      const Claim& claim = known->claim;
      if (holds(claim.phase) && claim.rv > kube::parse_resource_version(ledger.seen).value_or(0))
        ledger.seen = claim.resource_version;
    }
  }
  auto token = token_base(ledger, entry.primitive->rv);
  for (const auto& verdict : decision.plan.verdicts) {
    if (!is_grant(verdict)) continue;
    if (decision.claims[verdict.claim] == nullptr) continue;
    const Claim* claim = &decision.claims[verdict.claim]->claim;
    const bool consumed = verdict.kind == VerdictKind::grant_consume;
    ledger.pending.push_back({claim->key, claim->uid, consumed ? 0 : claim->units, ++token, claim->resource_version});
    ledger.last_token = token;
  }
}

ShownStatus KindMachine::Impl::shown_of(const Entry& entry, const Ledger& ledger, const Decision& decision) const {
  ShownStatus shown;
  shown.fields = decision.plan.status.value_or("{}");
  shown.selector = scale_selector(kind_, entry.name);
  shown.conditions = decision.plan.conditions;
  shown.events = decision.plan.events;
  if (decision.left_out > 0) {
    put(shown.conditions, {"Ready", ConditionStatus::false_, "TooManyClaims",
                           std::to_string(decision.left_out) + " claims over the bound of " +
                               std::to_string(settings_.max_claims) + " wait outside of the queue"});
  }
  const bool not_ready = std::ranges::any_of(shown.conditions, [](const auto& condition) {
    return condition.type == "Ready" && condition.status == ConditionStatus::false_;
  });
  if (auto unknown = not_ready ? std::nullopt : why_not_counted(entry)) put(shown.conditions, std::move(*unknown));
  if (kind_.mode != Mode::granted) return shown;
  shown.with_holders = true;
  shown.holders = first_holders(entry, ledger);
  return shown;
}

/// Those who hold for the longest, by their tokens: who comes later changes nothing of a full list, and telling a
/// recorded grant nothing of its place.
std::vector<HolderLine> KindMachine::Impl::first_holders(const Entry& entry, const Ledger& ledger) const {
  struct Held {
    std::int64_t token;
    std::int64_t units;
    const Claim* claim;
    bool told;
  };
  std::vector<Held> all;
  for (const auto* known : view_.of(entry.name)) {
    const Claim& claim = known->claim;
    if (holds(claim.phase) && claim.held_units > 0) all.push_back({claim.token, claim.held_units, &claim, true});
  }
  for (const auto& grant : ledger.pending) {
    const Claim* claim = view_.find(grant.claim);
    const bool there = claim != nullptr && claim->uid == grant.uid;
    if (there && grant.units > 0 && !holds(claim->phase)) all.push_back({grant.token, grant.units, claim, false});
  }
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most_holder_lines));
  const auto earlier = [](const Held& left, const Held& right) {
    return std::tie(left.token, left.claim->key) < std::tie(right.token, right.claim->key);
  };
  std::partial_sort(all.begin(), end, all.end(), earlier);
  std::vector<HolderLine> lines;
  for (auto held = all.begin(); held != end; ++held) {
    const Claim& claim = *held->claim;
    lines.push_back({claim.key, claim.holder, held->units, held->told ? claim.granted_at : std::string{}});
  }
  return lines;
}

void KindMachine::Impl::execute(Entry& entry, const Ledger& ledger, const Decision& decision, Now now) {
  const auto& plan = decision.plan;
  if (follow_needs(entry, plan.needs, now)) return;
  entry.holding = decision.holding + decision.grants;
  entry.waiting = decision.waiting - std::min(decision.waiting, decision.grants);
  if (plan.look_again_at) {
    const auto present = now.server.time_since_epoch().count();
    const auto in = Duration{std::max(*plan.look_again_at, present) - present};
    // Where time stands still for it, it is looked at again when that changes; and now and then.
    const Duration shortest = decision.now < now.server ? Duration{settle_time} : Duration{shortest_look};
    wake(entry, now.mono + std::clamp<Duration>(in, shortest, longest_look));
  }
  Ledger next = ledger;
  record_grants(entry, decision, next);
  std::optional<NewState> state;
  if (plan.state && changes_state(*entry.primitive, *plan.state)) state = NewState{*plan.state, decision.now};
  const auto shown = shown_of(entry, next, decision);
  write_status(entry, next, shown, state ? &*state : nullptr, decision.grants, true, now);
  answer_waiters(entry, decision, now);
  revoke_holders(entry, decision, now);
  // Nothing is deleted on the strength of a state that is not stored yet: it may never be.
  if (kind_.mode != Mode::granted && !state && !entry.busy) mark_discarded(entry, decision, now);
}

void KindMachine::Impl::write_status(Entry& entry, const Ledger& ledger, const ShownStatus& shown,
                                     const NewState* state, std::size_t grants, bool covered, Now now) {
  const auto& primitive = *entry.primitive;
  const auto differs = difference(primitive, shown, now.server);
  const bool first_ledger = kind_.mode == Mode::granted && !primitive.ledger;
  const bool must = grants > 0 || state != nullptr || first_ledger || entry.not_stored == primitive.uid;
  if (differs.empty()) entry.unshown_since.reset();
  if (!must && differs.empty()) return;
  if (!must && entry.quiet_until && now.mono < *entry.quiet_until) return wake(entry, *entry.quiet_until);
  if (const auto at = may_show_at(entry, now); !must && !differs.urgent && now.mono < at) return wake(entry, at);
  if (!has_room(entry, Urgency::grant)) return;
  entry.busy = true;
  entry.last_status = now.mono;
  entry.unshown_since.reset();
  if (grants > 0) ++counters_.records;
  InFlight sent;
  sent.what = Sent::record;
  sent.primitive = entry.name;
  sent.primitive_uid = primitive.uid;
  sent.resource_version = primitive.resource_version;
  sent.covered = covered;
  sent.grants = grants;
  sent.events = shown.events;
  for (const auto& event : differs.events) sent.announce.push_back({subject_of(entry), event});
  const bool with_ledger = kind_.mode == Mode::granted;
  if (with_ledger) sent.ledger = ledger;
  send(std::move(sent), record(kind_, primitive, with_ledger ? &ledger : nullptr, state, differs));
}

/// When something may be shown that changes neither phase nor a condition. Where one write serves all who were counted,
/// it had better be that of the last of them: while they keep coming, counts are shown less often.
MonoTime KindMachine::Impl::may_show_at(Entry& entry, Now now) const {
  constexpr int most_intervals = 4;
  const auto interval = settings_.status_interval;
  if (!entry.unshown_since) entry.unshown_since = now.mono;
  const auto at = entry.last_status ? *entry.last_status + interval : MonoTime::min();
  if (kind_.mode != Mode::counted) return at;
  return std::max(at, std::min(entry.last_claim + interval, *entry.unshown_since + most_intervals * interval));
}

void KindMachine::Impl::answer_waiters(Entry& entry, const Decision& decision, Now now) {
  for (const auto& [known, verdict] : decision.unserved) {
    const bool unavailable = kind_.mode == Mode::granted && !known->claim.wait && decision.complete;
    if (is_refused(verdict) || unavailable) {
      if (!can_write(*known, entry, now) || !has_room(entry, Urgency::end)) continue;
      ++counters_.denials;
      deny(entry, *known, denial_of(verdict), now);
    } else if (kind_.mode == Mode::granted) {
      tell_waiter(entry, *known, waiting_of(verdict), entry.primitive->uid, now);
    }
  }
}

void KindMachine::Impl::deny(Entry& entry, KnownClaim& known, const Ending& denial, Now now) {
  write_claim(known, end_claim(kind_, known.claim, denial, now.server), Sent::claim_write, true,
              about_end(entry, known.claim, denial));
}

void KindMachine::Impl::mark_discarded(Entry& entry, const Decision& decision, Now now) {
  for (const auto& [known, verdict] : decision.unserved) {
    const bool discarded = verdict != nullptr && verdict->kind == VerdictKind::discard;
    if (std::exchange(known->notes.discarded, discarded) != discarded) look_at(entry, *known, now.mono);
  }
}

/// Deletes it, once it has been there for as long as ended ones are kept.
void KindMachine::Impl::discard(Entry& entry, KnownClaim& known, Now now) {
  const auto at = known.notes.first_seen + settings_.keep_terminal;
  if (now.mono < at) return look_at(entry, known, at);
  if (known.claim.deleting || !entry.primitive || !may_be_served(known, entry) || !can_send(known, entry, now)) return;
  if (!has_room(entry, Urgency::tidy)) return crowd_out(entry, known, true);
  write_claim(known, remove_claim(kind_, known.claim), Sent::removal, true);
}

/// Once it has waited for a moment: most claims are granted before.
void KindMachine::Impl::tell_waiter(Entry& entry, KnownClaim& known, const Ending& waits, const std::string& mark,
                                    Now now) {
  const Claim& claim = known.claim;
  if (claim.acknowledged && claim.reason == waits.reason) return;
  const auto told_at = known.notes.first_seen + settle_time;
  if (now.mono < told_at) return wake(entry, told_at);
  if (!can_write(known, entry, now) || !has_room(entry, Urgency::tidy)) return;
  write_claim(known, acknowledge(kind_, claim, waits.reason, waits.message, mark, now.server), Sent::claim_write,
              false);
}

void KindMachine::Impl::revoke_holders(Entry& entry, const Decision& decision, Now now) {
  for (const auto& verdict : decision.plan.verdicts) {
    auto* known = decision.claims[verdict.claim];
    // One that is not told yet is told first; one that is told to stop already keeps the grace that it was given.
    if (verdict.kind != VerdictKind::revoke || known == nullptr || known->claim.phase != Phase::granted) continue;
    if (!can_write(*known, entry, now) || !has_room(entry, Urgency::end)) continue;
    const Claim& claim = known->claim;
    const Revocation revocation{verdict.reason.empty() ? "Revoking" : verdict.reason, verdict.message,
                                Duration{verdict.grace}};
    log(LogLine::Level::info, claim.key + " is told to stop: " + verdict.message);
    write_claim(*known, revoke(kind_, claim, revocation, now.server), Sent::claim_write, false,
                {{subject_of(claim), {true, revocation.reason, revocation.message}}});
  }
}

/// Claims whose primitive does not exist: who waits goes on waiting for it, and hears why. The view of the primitives
/// may be behind, or they cannot be read at all: only a GET that was sent since knows.
void KindMachine::Impl::answer_orphans(Entry& entry, Now now) {
  if (now.mono < entry.rest_until) return wake(entry, entry.rest_until);
  rest(entry, now);
  const std::string reason = kind_.names.kind + not_found_suffix;
  const std::string message = "there is no " + kind_.names.singular + " " + kube::to_string(entry.name);
  for (auto* known : view_.of(entry.name)) {
    const Claim& claim = known->claim;
    const bool told = claim.wait && claim.acknowledged && claim.reason == reason;
    if (claim.phase != Phase::pending || claim.deleting || told) continue;
    const auto first_seen = known->notes.first_seen;
    if (now.mono < first_seen + settle_time) {
      wake(entry, first_seen + settle_time);
    } else if (!entry.absent_at || *entry.absent_at < first_seen) {
      if (now.mono < entry.retry.not_before) return wake(entry, entry.retry.not_before);
      if (entry.asking || !has_room(entry, Urgency::tidy)) return;
      return ask_for_primitive(entry, {}, now);
    } else if (claim.wait) {
      tell_waiter(entry, *known, {Phase::pending, reason, message}, {}, now);
    } else if (can_write(*known, entry, now) && has_room(entry, Urgency::tidy)) {
      deny(entry, *known, {Phase::denied, reason, message}, now);
    }
  }
}

/// Has what the plan needs watched. True: what it asked for is not known yet, so it is not carried out; decide is
/// called again when it is. Else each start of an operator would show for a moment what was decided blindly.
bool KindMachine::Impl::follow_needs(Entry& entry, const std::vector<Need>& needs, Now now) {
  const auto left_out = observed_.left_out();
  const bool changed = observed_.want(entry.name, needs);
  if (observed_.left_out() > left_out) {
    log(LogLine::Level::warning, kube::to_string(entry.name) + ": asks to see more than the " +
                                     std::to_string(settings_.watches) + " watches of this kind");
  }
  if (changed) entry.needs_since = now.mono;
  const bool patient = now.mono < entry.needs_since + answer_time && entry.held_for_needs < most_held;
  if (!patient || !(changed || observed_.is_unanswered(entry.name))) {
    entry.held_for_needs = 0;
    return false;
  }
  if (changed) ++entry.held_for_needs;
  if (observed_.is_unanswered(entry.name)) {
    wake(entry, entry.needs_since + answer_time);
  } else {
    entry.dirty = true;
  }
  return true;
}

}  // namespace konductor::runtime
