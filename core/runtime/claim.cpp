#include "runtime/claim.hpp"

#include "kube/json_fields.hpp"
#include "kube/object_meta.hpp"
#include "kube/resource_version.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace konductor::runtime {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Phase, std::string_view>, 6> phase_names{{{Phase::pending, "Pending"},
                                                                         {Phase::granted, "Granted"},
                                                                         {Phase::revoking, "Revoking"},
                                                                         {Phase::denied, "Denied"},
                                                                         {Phase::expired, "Expired"},
                                                                         {Phase::revoked, "Revoked"}}};

Phase phase_of(const std::string& text) {
  if (text.empty()) return Phase::pending;
  const auto* found =
      std::find_if(phase_names.begin(), phase_names.end(), [&](const auto& e) { return e.second == text; });
  return found == phase_names.end() ? Phase::unknown : found->first;
}

std::int64_t duration_at(const json& object, std::string_view path) {
  const auto text = kube::text_at(object, path);
  if (text.empty()) return 0;
  const auto parsed = kube::parse_duration(text);
  return parsed ? parsed->count() : 0;
}

FieldValue field_at(const json& object, const FieldDeclaration& declared) {
  FieldValue value{.type = declared.type, .present = false, .integer = 0, .text = {}};
  const json* found = kube::find_path(object, declared.path);
  if (found == nullptr) return value;
  switch (declared.type) {
    case ValueType::string:
      value.present = found->is_string();
      if (value.present) value.text = found->get<std::string>();
      break;
    case ValueType::integer: {
      const auto integer = kube::integer_at(object, declared.path);
      value.present = integer.has_value();
      value.integer = integer.value_or(0);
      break;
    }
    case ValueType::boolean:
      value.present = found->is_boolean();
      if (value.present) value.integer = found->get<bool>() ? 1 : 0;
      break;
    case ValueType::duration:
      if (!found->is_string()) break;
      if (const auto parsed = kube::parse_duration(found->get<std::string>())) {
        value.present = true;
        value.integer = parsed->count();
      }
      break;
  }
  return value;
}

// requestedAt orders claims inside the whole second of creationTimestamp, and can claim no other second.
std::int64_t asked_at(const json& object, std::int64_t created) {
  constexpr std::int64_t last_in_second = 999'999;
  const auto parsed = kube::parse_rfc3339(kube::text_at(object, "spec.requestedAt"));
  if (!parsed) return created + last_in_second;
  return std::clamp(parsed->time_since_epoch().count(), created, created + last_in_second);
}

void read_spec(const json& object, const KindDeclaration& kind, Claim& claim) {
  claim.units = kind.units_field.empty() ? 1 : kube::integer_at(object, "spec." + kind.units_field).value_or(1);
  claim.pod_name = kube::text_at(object, "spec.pod.name");
  claim.pod_uid = kube::text_at(object, "spec.pod.uid");
  claim.holder = kube::text_at(object, "spec.holder");
  if (kind.mode != Mode::granted) return;  // there these are no fields of the host's
  claim.priority = kube::integer_at(object, "spec.priority").value_or(0);
  claim.wait = kube::boolean_at(object, "spec.wait").value_or(true);
  claim.ttl = duration_at(object, "spec.ttl");
  claim.renew_time = kube::text_at(object, "spec.renewTime");
}

/// Who it stands for: as it says, as was found out before, or, outside of pods, itself.
void read_participant(const json& object, const KindDeclaration& kind, Claim& claim) {
  if (kind.participant_field.empty()) return;
  claim.participant = kube::text_at(object, "spec." + kind.participant_field);
  claim.names_itself = !claim.participant.empty();
  if (claim.participant.empty()) claim.participant = kube::text_at(object, "status.participant");
  if (claim.participant.empty() && claim.pod_uid.empty()) claim.participant = claim.uid;
  if (const json* doubt = kube::condition_of(object, participant_condition))
    claim.doubt = kube::text_at(*doubt, "reason");
  if (const json* all = kube::find_path(object, "status.conditions"); all != nullptr && all->is_array()) {
    auto others = json::array();
    for (const auto& one : *all)
      if (kube::text_at(one, "type") != participant_condition) others.push_back(one);
    if (!others.empty()) claim.other_conditions = others.dump();
  }
}

void read_status(const json& object, const KindDeclaration& kind, Claim& claim) {
  const auto phase = kube::text_at(object, "status.phase");
  claim.phase = phase_of(phase);
  // One that is only counted holds nothing, whatever somebody wrote there.
  if (kind.mode != Mode::granted && !is_terminal(claim.phase)) claim.phase = Phase::pending;
  claim.acknowledged = !phase.empty();
  claim.token = kube::integer_at(object, "status.token").value_or(0);
  claim.held_units = holds(claim.phase) ? kube::integer_at(object, "status.units").value_or(claim.units) : 0;
  claim.granted_ttl = duration_at(object, "status.ttl");
  if (const auto grace = kube::parse_duration(kube::text_at(object, "status.grace"))) claim.grace = grace->count();
  claim.granted_at = kube::text_at(object, "status.grantedAt");
  claim.mark = kube::text_at(object, "status.primitiveUID");
  claim.outcome = kube::text_at(object, "status.outcome");
  if (const json* granted = kube::condition_of(object, "Granted")) claim.reason = kube::text_at(*granted, "reason");
}

}  // namespace

std::string_view to_string(Phase phase) noexcept {
  for (const auto& [value, name] : phase_names)
    if (value == phase) return name;
  return "Unknown";
}

bool is_terminal(Phase phase) noexcept {
  return phase == Phase::denied || phase == Phase::expired || phase == Phase::revoked;
}

bool holds(Phase phase) noexcept {
  return phase == Phase::granted || phase == Phase::revoking || phase == Phase::unknown;
}

Result<Claim> parse_claim(const json& object, const KindDeclaration& kind) {
  auto meta = kube::parse_meta(object);
  if (!meta) return meta.error();
  Claim claim;
  claim.name = {meta->ns, meta->name};
  claim.key = kube::to_string(claim.name);
  claim.uid = meta->uid;
  claim.resource_version = meta->resource_version;
  claim.rv = kube::parse_resource_version(meta->resource_version).value_or(0);
  claim.deleting = meta->deleting;
  claim.created = meta->creation.time_since_epoch().count();
  claim.asked_at = asked_at(object, claim.created);
  claim.primitive = {meta->ns, kube::text_at(object, "spec." + kind.primitive_field)};
  if (claim.primitive.name.empty()) {
    return Error{Errc::invalid,
                 kube::to_string(kind.claim_resource()) + " " + claim.key + " names no " + kind.names.singular +
                     " in spec." + kind.primitive_field,
                 0};
  }
  for (const auto& owner : meta->owner_references)
    if (owner.kind == kind.names.kind && owner.api_version.starts_with(api_group)) claim.owner_uid = owner.uid;
  read_spec(object, kind, claim);
  read_status(object, kind, claim);
  read_participant(object, kind, claim);
  claim.fields.reserve(kind.claim_fields.size());
  for (const auto& declared : kind.claim_fields) claim.fields.push_back(field_at(object, declared));
  return claim;
}

bool served_before(const Claim& left, const Claim& right) noexcept {
  return std::tie(right.priority, left.asked_at, left.key) < std::tie(left.priority, right.asked_at, right.key);
}

}  // namespace konductor::runtime
