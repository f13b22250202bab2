#include "runtime/primitive_status.hpp"

#include "kube/json_fields.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::runtime {
namespace {

using nlohmann::json;

const char* text_of(ConditionStatus status) {
  if (status == ConditionStatus::true_) return "True";
  return status == ConditionStatus::false_ ? "False" : "Unknown";
}

json condition_or_empty(const json& conditions, const std::string& type) {
  const json* found = kube::find_condition(conditions, type);
  return found == nullptr ? json::object() : *found;
}

/// What to tell of a change of the condition Ready: that it is not true, and that it is again.
std::vector<PlanEvent> ready_events(const json& current, const std::vector<PlanCondition>& wanted) {
  std::vector<PlanEvent> events;
  for (const auto& condition : wanted) {
    if (condition.type != "Ready") continue;
    const json old = condition_or_empty(current, condition.type);
    const auto before = kube::text_at(old, "status");
    const bool fell = condition.status == ConditionStatus::false_ &&
                      (before != "False" || kube::text_at(old, "reason") != condition.reason);
    const bool rose = condition.status == ConditionStatus::true_ && before == "False";
    if (fell || rose) events.push_back({fell, condition.reason, condition.message});
  }
  return events;
}

// The new list of conditions: those of others stay, the times of unchanged ones too.
json merged_conditions(const json& current, const ShownStatus& wanted, std::int64_t generation, WallTime now,
                       bool& changed) {
  json merged = current.is_array() ? current : json::array();
  for (const auto& condition : wanted.conditions) {
    const json old = condition_or_empty(merged, condition.type);
    const bool same_status = kube::text_at(old, "status") == text_of(condition.status);
    if (!same_status || kube::text_at(old, "reason") != condition.reason) changed = true;
    json fresh = {
        {"type", condition.type},
        {"status", text_of(condition.status)},
        {"reason", condition.reason},
        {"message", condition.message},
        {"observedGeneration", generation},
        {"lastTransitionTime", same_status ? kube::text_at(old, "lastTransitionTime") : kube::to_rfc3339(now)}};
    bool replaced = false;
    for (auto& existing : merged) {
      if (kube::text_at(existing, "type") != condition.type) continue;
      existing = fresh;
      replaced = true;
    }
    if (!replaced) merged.push_back(std::move(fresh));
  }
  return merged;
}

// A grant is shown when it is recorded; that it is told a moment later is not worth a write.
std::string since_of(const HolderLine& line, const json& current, WallTime now) {
  constexpr auto moment = std::chrono::seconds{5};
  std::string shown;
  for (const auto& other : current)
    if (kube::text_at(other, "name") == line.claim) shown = kube::text_at(other, "since");
  if (line.since.empty()) return shown.empty() ? kube::to_rfc3339_micro(now) : shown;
  const auto before = kube::parse_rfc3339(shown);
  const auto since = kube::parse_rfc3339(line.since);
  return before && since && *before <= *since && *since - *before < moment ? shown : line.since;
}

json lines_of(const std::vector<HolderLine>& holders, const json& current, WallTime now) {
  json lines = json::array();
  for (const auto& line : holders) {
    lines.push_back({{"name", line.claim},
                     {"holder", line.holder},
                     {"units", line.units},
                     {"since", since_of(line, current, now)}});
  }
  return lines;
}

// A merge patch that leaves exactly `wanted` of the object `current`.
json replacement(const json& current, const json& wanted) {
  json patch = wanted;
  for (const auto& [key, value] : current.items()) {
    if (!wanted.contains(key)) {
      patch[key] = nullptr;
    } else if (value.is_object() && wanted[key].is_object()) {
      patch[key] = replacement(value, wanted[key]);
    }
  }
  return patch;
}

bool changes(const json& current, const json& patch) {
  json patched = current;
  patched.merge_patch(patch);
  return patched != current;
}

const json& object_or_empty(const json* found) {
  static const json empty = json::object();
  return found != nullptr && found->is_object() ? *found : empty;
}

}  // namespace

StatusDifference::StatusDifference() : status(std::make_unique<json>(json::object())) {}
StatusDifference::~StatusDifference() = default;
StatusDifference::StatusDifference(StatusDifference&&) noexcept = default;
StatusDifference& StatusDifference::operator=(StatusDifference&&) noexcept = default;
bool StatusDifference::empty() const {
  return status->empty();
}

std::string scale_selector(const KindDeclaration& kind, const kube::NamespacedName& primitive) {
  return kind.scales() ? std::string(api_group) + "/" + kind.names.singular + "=" + primitive.name : std::string{};
}

bool changes_state(const Primitive& primitive, const std::string& state) {
  const json& current = object_or_empty(kube::find_path(*primitive.object, "status.state"));
  const json wanted = json::parse(state, nullptr, false);
  return changes(current, replacement(current, object_or_empty(&wanted)));
}

StatusDifference difference(const Primitive& primitive, const ShownStatus& wanted, WallTime server_now) {
  StatusDifference result;
  const json& current = object_or_empty(kube::find_path(*primitive.object, "status"));
  json desired = json::parse(wanted.fields, nullptr, false);
  if (!desired.is_object()) desired = json::object();
  const json old_conditions = current.value("conditions", json::array());
  desired["conditions"] = merged_conditions(old_conditions, wanted, primitive.generation, server_now, result.urgent);
  result.events = ready_events(old_conditions, wanted.conditions);
  desired["observedGeneration"] = primitive.generation;
  if (!wanted.selector.empty()) desired["selector"] = wanted.selector;
  if (wanted.with_holders)
    desired["holders"] = lines_of(wanted.holders, current.value("holders", json::array()), server_now);
  for (const auto& [key, value] : desired.items()) {
    const auto shown = current.find(key);
    if (value.is_null() ? shown == current.end() : shown != current.end() && !changes(*shown, value)) continue;
    if (key == "phase" || key == "observedGeneration") result.urgent = true;
    (*result.status)[key] = value;
  }
  return result;
}

kube::Request record(const KindDeclaration& kind, const Primitive& primitive, const Ledger* ledger,
                     const NewState* state, const StatusDifference& shown) {
  json status = *shown.status;
  if (ledger != nullptr) status["ledger"] = to_json(*ledger);
  if (state != nullptr) {
    const json wanted = json::parse(state->json, nullptr, false);
    status["stateTime"] = kube::to_rfc3339_micro(state->time);
    status["state"] =
        replacement(object_or_empty(kube::find_path(*primitive.object, "status.state")), object_or_empty(&wanted));
  }
  const json patch = {{"metadata", {{"resourceVersion", primitive.resource_version}, {"uid", primitive.uid}}},
                      {"status", std::move(status)}};
  return kube::merge_patch(kind.primitive_resource(), primitive.name, patch, "status");
}

}  // namespace konductor::runtime
