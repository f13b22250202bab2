#include "runtime/decision.hpp"

#include <map>
#include <utility>

namespace konductor::runtime {
namespace {

ClaimFacts facts_of(const KnownClaim& known, const DecisionInput& input) {
  const Claim& claim = known.claim;
  return {.state = ClaimState::waiting,
          .uid = claim.uid,
          .key = claim.key,
          .holder = claim.holder,
          .units = claim.units,
          .priority = claim.priority,
          .created = claim.asked_at,
          .deadline = input.deadline(known),
          .token = claim.token,
          .no_wait = !claim.wait,
          .pod = claim.pod_uid.empty() ? PodState::none : known.notes.pod,
          .controller_kind = {},
          .controller_uid = {},
          .completion_index = -1,
          .outcome = claim.outcome,
          .fields = claim.fields,
          .participant = claim.participant};
}

ClaimState state_of(const Claim& claim) {
  if (is_terminal(claim.phase)) return ClaimState::ended;
  if (!holds(claim.phase)) return ClaimState::waiting;
  return claim.phase == Phase::revoking ? ClaimState::revoking : ClaimState::granted;
}

class Builder {
 public:
  explicit Builder(const DecisionInput& input) : input_(input) {
    for (const auto& entry : input.ledger.pending) pending_.emplace(entry.uid, &entry);
    facts_.reserve(input.claims.size());
    decision_.claims.reserve(input.claims.size());
  }

  void add(KnownClaim& known) {
    const Claim& claim = known.claim;
    // Whom it would be counted for must be written down first: after a restart its Pod may be gone.
    if (!input_.kind.participant_field.empty() && claim.participant.empty()) return;
    ClaimFacts facts = facts_of(known, input_);
    facts.state = state_of(claim);
    if (const auto* entry = take_pending(claim.uid)) {
      hold(facts, *entry);
    } else if (facts.state == ClaimState::ended) {
      if (input_.kind.mode != Mode::counted || !input_.may_be_served(known) || ++spent_ > input_.max_claims) return;
    } else if (facts.state != ClaimState::waiting) {
      facts.units = claim.held_units;
    } else if (!input_.may_be_served(known)) {
      return;
    } else if (known.notes.discarded) {
      // They stay for a while, are older than who is to be counted, and must not take his place.
      if (++spent_ > input_.max_claims) return;
    } else if (decision_.waiting >= input_.max_claims) {
      ++decision_.left_out;
      return;
    }
    const bool spent = facts.state == ClaimState::ended || known.notes.discarded;
    if (!spent) ++(facts.state == ClaimState::waiting ? decision_.waiting : decision_.holding);
    facts_.push_back(facts);
    decision_.claims.push_back(&known);
  }

  Result<Decision> finish() {
    // Recorded, and the view does not show the claim: it holds until a view that is new enough says otherwise.
    for (const auto& [uid, entry] : pending_) {
      ClaimFacts facts;
      facts.uid = uid;
      facts.key = entry->claim;
      hold(facts, *entry);
      facts_.push_back(facts);
      decision_.claims.push_back(nullptr);
      ++decision_.holding;
    }
    const auto& primitive = input_.primitive;
    const Observation observation{.ns = primitive.name.ns,
                                  .name = primitive.name.name,
                                  .uid = primitive.uid,
                                  .generation = primitive.generation,
                                  .spec = primitive.spec,
                                  .state = primitive.state,
                                  .now = input_.now.time_since_epoch().count(),
                                  .max_grants = input_.max_grants,
                                  .claims = facts_,
                                  .observed = input_.observed};
    auto plan = input_.kind.decide(observation);
    if (!plan) return plan.error();
    decision_.plan = std::move(*plan);
    sort_verdicts();
    decision_.complete = decision_.grants < input_.max_grants;
    decision_.now = input_.now;
    return std::move(decision_);
  }

 private:
  const PendingGrant* take_pending(const std::string& uid) {
    const auto found = pending_.empty() ? pending_.end() : pending_.find(uid);
    if (found == pending_.end()) return nullptr;
    const auto* entry = found->second;
    pending_.erase(found);
    return entry;
  }

  void sort_verdicts() {
    std::vector<const Verdict*> verdict_of(facts_.size(), nullptr);
    for (const auto& verdict : decision_.plan.verdicts) verdict_of[verdict.claim] = &verdict;
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      if (facts_[i].state != ClaimState::waiting) continue;
      if (verdict_of[i] != nullptr && is_grant(*verdict_of[i])) {
        ++decision_.grants;
      } else {
        decision_.unserved.emplace_back(decision_.claims[i], verdict_of[i]);
      }
    }
  }

  static void hold(ClaimFacts& facts, const PendingGrant& entry) {
    if (facts.state != ClaimState::revoking) facts.state = ClaimState::granted;
    facts.units = entry.units;
    facts.token = entry.token;
  }

  const DecisionInput& input_;
  std::map<std::string_view, const PendingGrant*> pending_;
  std::vector<ClaimFacts> facts_;
  std::size_t spent_ = 0;  // discarded, or ended
  Decision decision_;
};

}  // namespace

bool is_grant(const Verdict& verdict) noexcept {
  return verdict.kind == VerdictKind::grant || verdict.kind == VerdictKind::grant_consume;
}

Result<Decision> decide(const DecisionInput& input) {
  Builder builder(input);
  for (auto* known : input.claims) builder.add(*known);
  return builder.finish();
}

}  // namespace konductor::runtime
