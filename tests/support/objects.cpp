#include "tests/support/objects.hpp"

#include "kube/time.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <set>
#include <utility>

namespace konductor::test {

using nlohmann::json;

namespace {

std::string time_text(std::int64_t seconds) {
  return kube::to_rfc3339(kube::WallTime{std::chrono::seconds{seconds}});
}

json metadata(const std::string& name, const std::string& uid, std::uint64_t rv, std::int64_t created_s,
              bool deleting) {
  json meta = {{"namespace", "ns"}, {"name", name},
               {"uid", uid},        {"resourceVersion", std::to_string(rv)},
               {"generation", 1},   {"creationTimestamp", time_text(created_s)}};
  if (deleting) meta["deletionTimestamp"] = time_text(created_s + 1);
  return meta;
}

Result<runtime::Plan> decide_widgets(const runtime::Observation& seen) {
  const auto spec = json::parse(seen.spec, nullptr, false);
  const auto limit = spec.value("limit", std::int64_t{0});
  if (limit == -99) return Error{Errc::plugin_incompatible, "took too long", 0};
  if (limit < 0) return Error{Errc::invalid, "spec.limit must not be negative", 0};
  std::int64_t used = 0;
  for (const auto& claim : seen.claims)
    if (claim.state != runtime::ClaimState::waiting) used += claim.units;
  runtime::Plan plan;
  std::int64_t waiting = 0;
  std::uint32_t grants = 0;
  for (std::size_t i = 0; i < seen.claims.size(); ++i) {
    const auto& claim = seen.claims[i];
    if (claim.state != runtime::ClaimState::waiting) continue;
    const bool fits = waiting == 0 && grants < seen.max_grants && used + claim.units <= limit;
    if (!fits) {
      ++waiting;
      const char* reason = claim.units > limit ? runtime::exceeds_limit : "LimitReached";
      plan.verdicts.push_back({i, runtime::VerdictKind::wait, reason, "all are in use", 0});
      continue;
    }
    ++grants;
    used += claim.units;
    plan.verdicts.push_back({i, runtime::VerdictKind::grant, {}, {}, 0});
  }
  plan.status = json{{"inUse", used}, {"waiting", waiting}}.dump();
  plan.conditions.push_back({"Ready", runtime::ConditionStatus::true_, "Serving", "serves"});
  return plan;
}

Result<runtime::Plan> count_persons(const runtime::Observation& seen) {
  const auto spec = json::parse(seen.spec, nullptr, false);
  const auto state = json::parse(seen.state, nullptr, false);
  auto deadline = spec.value("deadline", std::numeric_limits<std::int64_t>::max());
  for (const auto& claim : seen.claims) {
    if (spec.contains("patience") && claim.state == runtime::ClaimState::waiting)
      deadline = std::min(deadline, claim.created + spec["patience"].get<std::int64_t>());
  }
  auto phase = state.value("phase", std::string("Waiting"));
  runtime::Plan plan;
  std::set<std::string_view> persons;
  for (std::size_t i = 0; i < seen.claims.size(); ++i) {
    const auto& claim = seen.claims[i];
    if (claim.state != runtime::ClaimState::waiting) continue;
    if (claim.units == 13) {
      plan.verdicts.push_back({i, runtime::VerdictKind::deny, "Unlucky", "thirteen is no number of units", 0});
    } else if (claim.created <= deadline) {
      persons.insert(claim.participant);
    }
  }
  const auto arrived = static_cast<std::int64_t>(persons.size());
  if (phase == "Waiting" && arrived >= spec.value("limit", std::int64_t{0})) phase = "Open";
  if (phase == "Waiting" && seen.now >= deadline) phase = "Failed";
  for (std::size_t i = 0; i < seen.claims.size() && phase == "Open"; ++i)
    if (seen.claims[i].units == 9) plan.verdicts.push_back({i, runtime::VerdictKind::discard, {}, {}, 0});
  if (phase != "Waiting") plan.state = json{{"phase", phase}}.dump();
  if (phase == "Waiting" && deadline != std::numeric_limits<std::int64_t>::max()) plan.look_again_at = deadline;
  plan.status = json{{"phase", phase}, {"arrived", arrived}}.dump();
  plan.conditions.push_back({"Open",
                             phase == "Open" ? runtime::ConditionStatus::true_ : runtime::ConditionStatus::false_,
                             phase, std::to_string(arrived) + " have arrived"});
  plan.conditions.push_back({"Ready", runtime::ConditionStatus::true_, "Counting", "counts"});
  return plan;
}

}  // namespace

runtime::KindDeclaration counting_widgets() {
  auto kind = widgets();
  kind.mode = runtime::Mode::counted;
  kind.claim_lifetime = runtime::Lifetime::with_primitive;
  kind.participant_field = "person";
  kind.decide = count_persons;
  return kind;
}

runtime::KindDeclaration widgets() {
  runtime::KindDeclaration kind;
  kind.plugin_name = "widget";
  kind.names = {"Widget", "widgets", "widget", {}};
  kind.claim = {"Ticket", "tickets", "ticket", {}};
  kind.primitive_field = "widget";
  kind.units_field = "units";
  kind.decide = decide_widgets;
  return kind;
}

json Widget::object() const {
  json made = {{"apiVersion", "sync.konductor.io/v1"},
               {"kind", "Widget"},
               {"metadata", metadata(name, uid, rv, created_s, deleting)},
               {"spec", {{"limit", limit}}}};
  if (!ttl.empty()) made["spec"]["ttl"] = ttl;
  if (!status.is_null()) made["status"] = status;
  return made;
}

json Ticket::object() const {
  json made = {{"apiVersion", "sync.konductor.io/v1"},
               {"kind", "Ticket"},
               {"metadata", metadata(name, uid.empty() ? "uid-" + name : uid, rv, created_s, deleting)},
               {"spec", {{"widget", widget}, {"units", units}, {"priority", priority}, {"holder", "holder-" + name}}}};
  auto& spec = made["spec"];
  if (!wait) spec["wait"] = false;
  if (!pod.empty()) spec["pod"] = {{"name", "pod-" + pod}, {"uid", pod}};
  if (!ttl.empty()) spec["ttl"] = ttl;
  if (!renewed.empty()) spec["renewTime"] = renewed;
  if (!status.is_null()) made["status"] = status;
  return made;
}

json granted(std::int64_t token, std::int64_t units, const std::string& ttl) {
  return {{"phase", "Granted"}, {"token", token}, {"units", units}, {"ttl", ttl}, {"grantedAt", time_text(3000)}};
}

json ledger(std::int64_t last_token, const std::string& seen, const std::vector<Pending>& pending) {
  json entries = json::array();
  for (const auto& entry : pending) {
    entries.push_back({{"claim", "ns/" + entry.name},
                       {"uid", "uid-" + entry.name},
                       {"units", entry.units},
                       {"token", entry.token},
                       {"rv", entry.rv}});
  }
  return {{"ledger", {{"lastToken", last_token}, {"seen", seen}, {"pending", std::move(entries)}}}};
}

json pod(const std::string& uid, std::uint64_t rv, const std::string& phase) {
  json made = {{"metadata", metadata("pod-" + uid, uid, rv, 1000, false)}};
  if (!phase.empty()) made["status"] = {{"phase", phase}};
  return made;
}

json patched(json object, const std::string& body, std::uint64_t rv) {
  object.merge_patch(json::parse(body));
  object["metadata"]["resourceVersion"] = std::to_string(rv);
  return object;
}

}  // namespace konductor::test
