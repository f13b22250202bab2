#include "host/abi_adapter.hpp"

#include "host/sink.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace konductor::host {
namespace {

using runtime::Observation;
using runtime::Plan;

konductor_str borrow(std::string_view text) {
  return {text.data(), text.size()};
}

konductor_claim_state c_state(runtime::ClaimState state) {
  switch (state) {
    case runtime::ClaimState::waiting: return KONDUCTOR_WAITING;
    case runtime::ClaimState::granted: return KONDUCTOR_GRANTED;
    case runtime::ClaimState::revoking: return KONDUCTOR_REVOKING;
    case runtime::ClaimState::ended: return KONDUCTOR_ENDED;
  }
  return KONDUCTOR_GRANTED;
}

konductor_pod_state c_pod(runtime::PodState state) {
  switch (state) {
    case runtime::PodState::none: return KONDUCTOR_POD_NONE;
    case runtime::PodState::alive: return KONDUCTOR_POD_ALIVE;
    case runtime::PodState::succeeded: return KONDUCTOR_POD_SUCCEEDED;
    case runtime::PodState::failed: return KONDUCTOR_POD_FAILED;
    case runtime::PodState::gone: return KONDUCTOR_POD_GONE;
    case runtime::PodState::unknown: return KONDUCTOR_POD_UNKNOWN;
  }
  return KONDUCTOR_POD_UNKNOWN;
}

konductor_observed_state c_observed(runtime::ObservedState state) {
  switch (state) {
    case runtime::ObservedState::present: return KONDUCTOR_PRESENT;
    case runtime::ObservedState::absent: return KONDUCTOR_ABSENT;
    case runtime::ObservedState::unsynced: return KONDUCTOR_UNSYNCED;
    case runtime::ObservedState::forbidden: return KONDUCTOR_FORBIDDEN;
    case runtime::ObservedState::not_installed: return KONDUCTOR_NOT_INSTALLED;
    case runtime::ObservedState::too_many: return KONDUCTOR_TOO_MANY;
  }
  return KONDUCTOR_UNSYNCED;
}

konductor_value_type c_type(runtime::ValueType type) {
  switch (type) {
    case runtime::ValueType::string: return KONDUCTOR_STRING;
    case runtime::ValueType::integer: return KONDUCTOR_INTEGER;
    case runtime::ValueType::boolean: return KONDUCTOR_BOOLEAN;
    case runtime::ValueType::duration: return KONDUCTOR_DURATION;
  }
  return KONDUCTOR_STRING;
}

konductor_claim c_claim(const runtime::ClaimFacts& claim) {
  return {.struct_size = sizeof(konductor_claim),
          .state = c_state(claim.state),
          .uid = borrow(claim.uid),
          .key = borrow(claim.key),
          .holder = borrow(claim.holder),
          .units = claim.units,
          .priority = claim.priority,
          .created = claim.created,
          .deadline = claim.deadline,
          .token = claim.token,
          .no_wait = claim.no_wait ? 1 : 0,
          .pod_state = c_pod(claim.pod),
          .controller_kind = borrow(claim.controller_kind),
          .controller_uid = borrow(claim.controller_uid),
          .completion_index = claim.completion_index,
          .outcome = borrow(claim.outcome),
          .fields = nullptr,
          .field_count = 0,
          .participant = borrow(claim.participant)};
}

/// The input of one decide in the structs of the ABI; its buffers are kept from one decide to the next.
class CInput {
 public:
  explicit CInput(const runtime::KindDeclaration& kind) {
    for (const auto& field : kind.claim_fields) types_.push_back(c_type(field.type));
  }

  konductor_input fill(const Observation& observation) {
    fill_claims(observation);
    fill_observed(observation);
    return {.struct_size = sizeof(konductor_input),
            .max_grants = observation.max_grants,
            .namespace_name = borrow(observation.ns),
            .name = borrow(observation.name),
            .uid = borrow(observation.uid),
            .generation = observation.generation,
            .spec = borrow(observation.spec),
            .state = borrow(observation.state),
            .now = observation.now,
            .claims = claim_pointers_.data(),
            .claim_count = claim_pointers_.size(),
            .observed = observed_pointers_.data(),
            .observed_count = observed_pointers_.size()};
  }

 private:
  void fill_claims(const Observation& observation) {
    const auto count = observation.claims.size();
    claims_.resize(count);
    claim_pointers_.resize(count);
    values_.resize(count * types_.size());
    for (std::size_t i = 0; i < count; ++i) {
      claims_[i] = c_claim(observation.claims[i]);
      claims_[i].fields = values_.data() + i * types_.size();
      claims_[i].field_count = types_.size();
      claim_pointers_[i] = &claims_[i];
      fill_values(observation.claims[i].fields, i * types_.size());
    }
  }

  /// Exactly the declared fields: one that is missing, or of another type, is absent.
  void fill_values(std::span<const runtime::FieldValue> fields, std::size_t first) {
    for (std::size_t f = 0; f < types_.size(); ++f) {
      auto& value = values_[first + f];
      value = {types_[f], 0, 0, {nullptr, 0}};
      if (f >= fields.size() || !fields[f].present || c_type(fields[f].type) != types_[f]) continue;
      value.present = 1;
      value.integer = fields[f].integer;
      value.string = borrow(fields[f].text);
    }
  }

  void fill_observed(const Observation& observation) {
    const auto count = observation.observed.size();
    observed_.resize(count);
    observed_pointers_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& object = observation.observed[i];
      observed_[i] = {sizeof(konductor_observed), c_observed(object.state), borrow(object.need_id),
                      borrow(object.name),        borrow(object.uid),       borrow(object.json)};
      observed_pointers_[i] = &observed_[i];
    }
  }

  std::vector<konductor_value_type> types_;
  std::vector<konductor_claim> claims_;
  std::vector<const konductor_claim*> claim_pointers_;
  std::vector<konductor_value> values_;
  std::vector<konductor_observed> observed_;
  std::vector<const konductor_observed*> observed_pointers_;
};

std::string seconds(runtime::Duration duration) {
  const auto tenths = (duration.count() + 50'000) / 100'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

class Decider {
 public:
  Decider(konductor_decide decide, const runtime::KindDeclaration& kind, std::string who, MonoClock clock)
      : decide_(decide), who_(std::move(who)), clock_(std::move(clock)), input_(kind), sink_(kind.mode) {}

  Result<Plan> run(const Observation& observation) {
    sink_.begin(observation);
    const auto input = input_.fill(observation);
    const auto started = clock_();
    const auto returned = decide_(&input, &sink_.c_sink());
    const auto took = clock_() - started;

    const std::string on = " on " + std::string(observation.ns) + "/" + std::string(observation.name);
    if (took > decide_limit) {
      return Error{Errc::plugin_incompatible,
                   who_ + ": a decision" + on + " took " + seconds(took) + ", more than " + seconds(decide_limit)};
    }
    if (!sink_.breach().empty()) {
      return Error{Errc::plugin_incompatible, who_ + ": a decision" + on + " breaks the contract: " + sink_.breach()};
    }
    if (returned != 0) {
      const auto words = sink_.last_words();
      return Error{Errc::invalid, who_ + " cannot understand the spec or the state of " + std::string(observation.ns) +
                                      "/" + std::string(observation.name) +
                                      (words.empty() ? " (code " + std::to_string(returned) + ")" : ": " + words)};
    }
    return sink_.take_plan();
  }

 private:
  konductor_decide decide_;
  std::string who_;
  MonoClock clock_;
  CInput input_;
  Sink sink_;
};

}  // namespace

std::function<Result<Plan>(const Observation&)> adapt_decide(konductor_decide decide,
                                                             const runtime::KindDeclaration& kind, std::string who,
                                                             MonoClock clock) {
  auto decider = std::make_shared<Decider>(decide, kind, std::move(who), std::move(clock));
  return [decider](const Observation& observation) { return decider->run(observation); };
}

}  // namespace konductor::host
