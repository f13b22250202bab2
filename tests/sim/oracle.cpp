#include "tests/sim/oracle.hpp"

#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <tuple>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;

const kube::Resource pods{"", "v1", "pods"};
constexpr std::chrono::seconds slack{2};

const Json& pending_of(const ObjectPtr& primitive) {
  static const Json none = Json::array();
  if (!primitive) return none;
  static const Json::json_pointer path("/status/ledger/pending");
  return primitive->contains(path) ? primitive->at(path) : none;
}

std::int64_t number_in(const Json& object, const char* section, const char* key, std::int64_t otherwise) {
  const auto found = object.find(section);
  return found != object.end() && found->is_object() ? found->value(key, otherwise) : otherwise;
}

std::string uid_of(const Json& object) {
  return object.at("metadata").at("uid").get<std::string>();
}

kube::NamespacedName name_of(const Json& object) {
  return {object.at("metadata").at("namespace").get<std::string>(), object["metadata"].at("name").get<std::string>()};
}

// Stated a second time, without a look at the operator's order: priority, whole second, requestedAt within it, the
// priority as asked (where a cap made two equal), name.
auto rank(const Json& claim, std::int64_t priority) {
  const auto created = kube::parse_rfc3339(claim.at("metadata").at("creationTimestamp").get<std::string>()).value();
  const auto asked = kube::parse_rfc3339(text_in(claim, "spec", "requestedAt"));
  const auto last = created + std::chrono::microseconds{999'999};
  const auto when = asked ? std::clamp(*asked, created, last) : last;
  return std::tuple{
      -priority, when, -number_in(claim, "spec", "priority", 0),
      claim["metadata"]["namespace"].get<std::string>() + "/" + claim["metadata"]["name"].get<std::string>()};
}

}  // namespace

std::string text_in(const Json& object, const char* section, const char* key) {
  const auto found = object.find(section);
  if (found == object.end() || !found->is_object()) return {};
  const auto value = found->find(key);
  return value != found->end() && value->is_string() ? value->get<std::string>() : std::string{};
}

std::string phase_of(const Json& claim) {
  std::string phase = text_in(claim, "status", "phase");
  return phase.empty() ? "Pending" : phase;
}

bool is_held_phase(const std::string& phase) {
  return phase == "Granted" || phase == "Revoking";
}

bool is_terminal_phase(const std::string& phase) {
  return phase == "Expired" || phase == "Revoked" || phase == "Denied";
}

void Oracle::violated(const Commit& commit, const std::string& what) {
  violations_.push_back(kube::to_rfc3339_micro(commit.when) + " " + kube::to_string(commit.resource) + " " +
                        kube::to_string(commit.object) + " by " + commit.actor + " at revision " +
                        std::to_string(commit.revision) + ": " + what);
}

kube::NamespacedName Oracle::primitive_of(const Json& claim) const {
  return {claim.at("metadata").at("namespace").get<std::string>(),
          text_in(claim, "spec", kind_.declaration.primitive_field.c_str())};
}

bool Oracle::pod_is_dead(const Json& claim) const {
  static const Json::json_pointer path("/spec/pod/uid");
  if (!claim.contains(path)) return false;
  const kube::NamespacedName name{claim["metadata"]["namespace"].get<std::string>(),
                                  claim["spec"]["pod"].at("name").get<std::string>()};
  const ObjectPtr pod = model_.find(pods, name);
  if (!pod || uid_of(*pod) != claim.at(path).get<std::string>()) return true;
  const std::string phase = phase_of(*pod);
  return phase == "Succeeded" || phase == "Failed";
}

std::chrono::microseconds Oracle::ttl_of(const Json& claim) const {
  return ttl_under(claim, model_.find(kind_.declaration.primitive_resource(), primitive_of(claim)));
}

std::chrono::microseconds Oracle::ttl_under(const Json& claim, const ObjectPtr& primitive) {
  if (const auto granted = kube::parse_duration(text_in(claim, "status", "ttl"))) return *granted;
  std::chrono::microseconds ttl = std::chrono::minutes{10};
  if (primitive) {
    if (const auto most = kube::parse_duration(text_in(*primitive, "spec", "ttl"))) ttl = *most;
  }
  if (const auto own = kube::parse_duration(text_in(claim, "spec", "ttl"))) ttl = std::min(ttl, *own);
  return ttl;
}

std::chrono::microseconds Oracle::last_sign(const std::string& uid, std::uint64_t revision) const {
  std::chrono::microseconds last{0};
  const auto found = signs_.find(uid);
  if (found == signs_.end()) return last;
  for (const Sign& sign : found->second) {
    if (sign.revision <= revision) last = sign.elapsed;
  }
  return last;
}

std::vector<Holding> Oracle::held(const kube::NamespacedName& primitive) const {
  std::vector<Holding> held;
  for (const ObjectPtr& claim : model_.objects(kind_.declaration.claim_resource())) {
    if (!is_held_phase(phase_of(*claim)) || primitive_of(*claim) != primitive) continue;
    held.push_back({uid_of(*claim), number_in(*claim, "status", "units", 1), claim});
  }
  return held;
}

std::vector<ObjectPtr> Oracle::waiting(const kube::NamespacedName& primitive) const {
  std::vector<ObjectPtr> waiting;
  for (const ObjectPtr& claim : model_.objects(kind_.declaration.claim_resource())) {
    if (phase_of(*claim) == "Pending" && primitive_of(*claim) == primitive) waiting.push_back(claim);
  }
  return waiting;
}

ObjectPtr Oracle::claim_of(const Json& entry) const {
  const std::string key = entry.at("claim").get<std::string>();
  const std::size_t slash = key.find('/');
  const ObjectPtr claim =
      model_.find(kind_.declaration.claim_resource(), {key.substr(0, slash), key.substr(slash + 1)});
  return claim && uid_of(*claim) == entry.at("uid").get<std::string>() ? claim : nullptr;
}

void Oracle::on_commit(const Commit& commit) {
  if (commit.resource == kind_.declaration.primitive_resource()) on_primitive(commit);
  if (commit.resource == kind_.declaration.claim_resource()) on_claim(commit);
}

void Oracle::on_primitive(const Commit& commit) {
  History& history = histories_[commit.object];
  if (!commit.before) history.consumed = 0;
  if (!commit.before || !commit.after) history.lives_since = commit.revision;
  if (!commit.before) history.specs.clear();
  if (commit.before) history.before_last = commit.before;
  if (commit.after && (history.specs.empty() || history.specs.back()->at("spec") != commit.after->at("spec")))
    history.specs.push_back(commit.after);
  if (!commit.after || !commit.before) return;
  std::set<std::int64_t> known;
  for (const Json& entry : pending_of(commit.before)) known.insert(entry.at("token").get<std::int64_t>());
  std::vector<Json> added;
  for (const Json& entry : pending_of(commit.after)) {
    if (!known.contains(entry.at("token").get<std::int64_t>())) added.push_back(entry);
  }
  check_dropped(commit);
  if (!added.empty()) on_record(commit, added);
}

void Oracle::check_dropped(const Commit& commit) {
  std::set<std::int64_t> kept;
  for (const Json& entry : pending_of(commit.after)) kept.insert(entry.at("token").get<std::int64_t>());
  for (const Json& entry : pending_of(commit.before)) {
    if (kept.contains(entry.at("token").get<std::int64_t>())) continue;
    const ObjectPtr claim = claim_of(entry);
    if (claim && phase_of(*claim) == "Pending")
      violated(commit, "forgets a grant that was never told: " + entry.dump());
  }
}

void Oracle::on_record(const Commit& commit, const std::vector<Json>& added) {
  History& history = histories_[commit.object];
  const Json& spec = commit.after->at("spec");
  if (!kind_.readable(spec)) return violated(commit, "grants under a spec that cannot be read: " + spec.dump());
  std::vector<Holding> all = held(commit.object);
  std::set<std::string> uids;
  for (const Holding& holding : all) uids.insert(holding.key);
  for (const Json& entry : added) {
    const std::int64_t token = entry.at("token").get<std::int64_t>();
    if (token <= history.highest_token) {
      violated(commit, "token " + std::to_string(token) + " does not grow: " + std::to_string(history.highest_token));
    }
    history.highest_token = std::max(history.highest_token, token);
    history.recorded[token] = {entry.at("uid").get<std::string>(), entry.at("units").get<std::int64_t>()};
    recorded_by_[entry.at("uid").get<std::string>()] = {commit.actor, sent_elapsed};
    check_stroke(commit, entry.at("uid").get<std::string>());
    const ObjectPtr claim = claim_of(entry);
    if (claim && is_held_phase(phase_of(*claim)))
      violated(commit, "records a claim that holds already: " + entry.dump());
    if (claim && entry.at("units") == 0) {
      history.consumed += number_in(*claim, "spec", kind_.declaration.units_field.c_str(), 1);
    }
  }
  std::set<std::string> in_ledger;
  for (const Json& entry : pending_of(commit.after)) {
    const std::string uid = entry.at("uid").get<std::string>();
    if (!in_ledger.insert(uid).second) violated(commit, "records a claim twice: " + entry.dump());
    const ObjectPtr claim = claim_of(entry);
    if (!claim || is_terminal_phase(phase_of(*claim)) || uids.contains(uid)) continue;
    if (entry.at("units") != 0) all.push_back({uid, entry.at("units").get<std::int64_t>(), claim});
  }
  history.at_last_grant = commit.after;
  if (const std::string why = kind_.too_much(spec, all); !why.empty())
    violated(commit, "a record grants too much: " + why);
  if (kind_.overdrawn) {
    const auto created = kube::parse_rfc3339(text_in(*commit.after, "metadata", "creationTimestamp")).value();
    // What it once allowed may have been used then: too much is what none of its specs would have allowed.
    std::string why;
    const bool always = std::ranges::all_of(history.specs, [&](const ObjectPtr& one) {
      if (!kind_.readable(one->at("spec"))) return true;
      why = kind_.overdrawn(one->at("spec"), history.consumed, commit.when - created);
      return !why.empty();
    });
    if (always) violated(commit, "a record consumes too much: " + why);
  }
  check_order(commit, added);
}

// Where priorities grow: as the sender may have taken them, whose idea of the server's time is not exact.
std::int64_t Oracle::priority_of(const Json& primitive, const Json& claim, kube::WallTime now) const {
  if (!kind_.priority) return number_in(claim, "spec", "priority", 0);
  return kind_.priority(primitive.at("spec"), claim, now);
}

bool Oracle::comes_before(const Json& primitive, const Json& claim, const Json& other, kube::WallTime now) const {
  return rank(claim, priority_of(primitive, claim, now)) < rank(other, priority_of(primitive, other, now));
}

void Oracle::check_order(const Commit& commit, const std::vector<Json>& added) {
  if (!kind_.in_order || senders_view == 0) return;
  std::set<std::string> in_ledger;
  for (const Json& entry : pending_of(commit.after)) in_ledger.insert(entry.at("uid").get<std::string>());
  for (const ObjectPtr& waiter : waiting(commit.object)) {
    const std::string uid = uid_of(*waiter);
    const bool may_be_passed = in_ledger.contains(uid) || created_at_[uid] > senders_view || pod_is_dead(*waiter) ||
                               commit.elapsed - last_sign(uid, senders_view) >= ttl_of(*waiter) ||
                               !waiter->at("spec").value("wait", true) ||
                               kind_.never_fits(commit.after->at("spec"), *waiter) ||
                               (sender_is_busy_with && sender_is_busy_with(name_of(*waiter)));
    if (may_be_passed) continue;
    for (const Json& entry : added) {
      const ObjectPtr served = claim_of(entry);
      if (served && rank(*waiter, priority_of(*commit.after, *waiter, sent_at - slack)) <
                        rank(*served, priority_of(*commit.after, *served, sent_at + slack))) {
        violated(commit, entry.at("claim").get<std::string>() + " is served before " +
                             waiter->at("metadata").at("name").get<std::string>() + ", which came first");
      }
    }
  }
}

void Oracle::on_claim(const Commit& commit) {
  if (!commit.before) {
    signs_[uid_of(*commit.after)].push_back({commit.revision, commit.elapsed});
    created_at_[uid_of(*commit.after)] = commit.revision;
    lives_[uid_of(*commit.after)] = {primitive_of(*commit.after)};
    return;
  }
  const std::string from = phase_of(*commit.before);
  const std::string to = commit.after ? phase_of(*commit.after) : "";
  const std::string uid = uid_of(*commit.before);
  if (commit.after && is_terminal_phase(from) && to != from)
    violated(commit, "a terminal phase changes: " + from + " to " + to);
  check_belief(commit);
  if (!is_held_phase(from) && is_held_phase(to)) on_told(commit);
  if (from == "Revoking" && to == "Granted") violated(commit, "a revoked grant is given back");
  if (is_held_phase(from) && is_held_phase(to) &&
      (number_in(*commit.before, "status", "token", 0) != number_in(*commit.after, "status", "token", 0) ||
       number_in(*commit.before, "status", "units", 1) != number_in(*commit.after, "status", "units", 1))) {
    violated(commit, "token or units change while it holds");
  }
  if (is_held_phase(from) && to == "Pending") violated(commit, "a grant is forgotten");
  if (!is_terminal_phase(from) && !is_held_phase(to) && to != "Pending") {
    lives_[uid].ended = commit.revision;
    on_freed(commit, to);
  }
  if (commit.after && text_in(*commit.before, "spec", "renewTime") != text_in(*commit.after, "spec", "renewTime")) {
    signs_[uid].push_back({commit.revision, commit.elapsed});
  }
}

// Before this commit becomes a sign of life: no answer to it can have arrived.
void Oracle::check_belief(const Commit& commit) {
  const std::string uid = uid_of(*commit.before);
  const auto longer = believes_for ? believes_for(uid) : std::chrono::microseconds{0};
  if (longer.count() <= 0 || pod_is_dead(*commit.before)) return;
  if (is_terminal_phase(phase_of(*commit.before)))
    return violated(commit, "its holder believes in a claim that has ended");
  const auto silent = commit.elapsed - last_sign(uid, commit.revision);
  if (silent + longer > ttl_of(*commit.before)) {
    violated(commit, std::to_string(silent.count()) + " us after its last sign its holder would believe for " +
                         std::to_string(longer.count()) + " us more, with a TTL of " +
                         kube::to_string(ttl_of(*commit.before)));
  }
}

void Oracle::on_told(const Commit& commit) {
  ++grants_;
  const std::string uid = uid_of(*commit.after);
  signs_[uid].push_back({commit.revision, commit.elapsed});
  const kube::NamespacedName primitive = primitive_of(*commit.after);
  History& history = histories_[primitive];
  const std::int64_t token = number_in(*commit.after, "status", "token", 0);
  const auto recorded = history.recorded.find(token);
  if (recorded == history.recorded.end() || recorded->second.uid != uid) {
    violated(commit, "told with token " + std::to_string(token) + ", which was never recorded for it");
    return;
  }
  if (recorded->second.units != number_in(*commit.after, "status", "units", 1))
    violated(commit, "told other units than were recorded");
  told_[uid] = token;
  const std::string why = kind_.too_much(history.at_last_grant->at("spec"), held(primitive));
  if (!why.empty()) violated(commit, "too much is held: " + why);
}

// "Not available now" is true only where somebody else was there at some time since it asked: an operator that knows of
// it knows of all that ended before.
void Oracle::check_denial(const Commit& commit) {
  const Json conditions = commit.after->at("status").value("conditions", Json::array());
  const bool not_now =
      std::ranges::any_of(conditions, [](const Json& one) { return one.value("reason", "") == runtime::not_now; });
  const kube::NamespacedName primitive = primitive_of(*commit.before);
  const History& history = histories_[primitive];
  const std::string uid = uid_of(*commit.before);
  const std::uint64_t asked = created_at_[uid];
  const bool other_life = history.specs.empty() || history.lives_since > asked;
  if (!not_now || other_life || kind_.overdrawn || std::ranges::any_of(history.specs, [&](const ObjectPtr& one) {
        return !kind_.readable(one->at("spec")) || kind_.never_fits(one->at("spec"), *commit.before);
      }))
    return;
  const bool rival = std::ranges::any_of(lives_, [&](const auto& named) {
    const Life& life = named.second;
    return named.first != uid && life.primitive == primitive && life.ended >= asked;
  });
  if (!rival) violated(commit, "is told that it is not available now, and nobody else was there since it asked");
}

// Of a claim that was not told yet. Two operators may well do both, or one at different times.
void Oracle::check_stroke(const Commit& commit, const std::string& uid) {
  const auto recorded = recorded_by_.find(uid);
  const auto ended = ended_by_.find(uid);
  if (recorded != recorded_by_.end() && ended != ended_by_.end() && recorded->second == ended->second)
    violated(commit, "records and ends a claim at one stroke: " + uid);
}

void Oracle::on_reported(const std::string& uid, std::int64_t token) {
  const auto told = told_.find(uid);
  if (told == told_.end() || told->second != token)
    report("a holder reports success with token " + std::to_string(token) + ", which claim " + uid + " was never told");
}

void Oracle::on_freed(const Commit& commit, const std::string& to_phase) {
  const Json& claim = *commit.before;
  const std::string uid = uid_of(claim);
  const bool dead = pod_is_dead(claim);
  const bool by_operator = commit.actor.starts_with("operator");
  const bool was_held = is_held_phase(phase_of(claim));
  if (by_operator && !was_held) {
    ended_by_[uid] = {commit.actor, sent_elapsed};
    check_stroke(commit, uid);
  }
  if (to_phase.empty() && by_operator && was_held) violated(commit, "the operator deletes a claim that holds");
  if (to_phase == "Denied" && claim.at("spec").value("wait", true)) violated(commit, "a claim that may wait is denied");
  if (to_phase == "Denied" && was_held) violated(commit, "a claim that holds is denied");
  if (to_phase == "Denied") check_denial(commit);
  if (to_phase == "Expired") {
    ++expiries_;
    const auto silent = commit.elapsed - last_sign(uid);
    // The operator may not have heard yet that its primitive was deleted or edited.
    const auto ttl = std::min(ttl_of(claim), ttl_under(claim, histories_[primitive_of(claim)].before_last));
    if (!dead && silent < ttl) {
      violated(commit, "expired " + std::to_string(silent.count()) + " us after the last sign, with a TTL of " +
                           kube::to_string(ttl) + " and its Pod alive");
    }
  }
  if (by_operator && !dead && believes && believes(uid))
    violated(commit, "freed while its holder believes that it holds");
}

}  // namespace konductor::sim
