#include "tests/sim/simulation_impl.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What the composed CRD says of every claim by CEL rules at the root.
std::string finality(const Json& before, const Json& after) {
  if (!is_terminal_phase(phase_of(before))) return {};
  return phase_of(after) == phase_of(before) ? "" : "a claim that has ended cannot change";
}

std::string immutability(const Json& before, const Json& after) {
  const bool waits = phase_of(before) == "Pending";
  Json old_spec = before.at("spec");
  Json new_spec = after.at("spec");
  for (Json* spec : {&old_spec, &new_spec}) {
    spec->erase("renewTime");
    if (waits) {
      spec->erase("ttl");
      spec->erase("priority");
    }
  }
  return old_spec == new_spec ? "" : "what was asked for cannot change";
}

/// What of a status the protocol is about.
std::string gist(const ObjectPtr& object) {
  if (!object) return "deleted";
  const Json status = object->value("status", Json::object());
  Json shown = Json::object();
  for (const char* member : {"ledger", "phase", "token", "units", "primitiveUID", "state", "waiting"}) {
    if (status.contains(member)) shown[member] = status[member];
  }
  const std::string renewed = text_in(*object, "spec", "renewTime");
  return object->at("metadata").at("uid").get<std::string>().substr(32) + " " + shown.dump() +
         (renewed.empty() ? "" : " renewed " + renewed);
}

}  // namespace

void Simulation::serve() {
  ApiModel& api = world_.api();
  world_.serve(kind_.declaration, {finality, immutability});
  api.serve({.resource = {"events.k8s.io", "v1", "events"}, .kind = "Event", .selectable = {}, .rules = {}});
  oracle_.believes = [this](const std::string& uid) {
    return std::any_of(clients_.begin(), clients_.end(), [&](const auto& client) { return client->believes(uid); });
  };
  oracle_.believes_for = [this](const std::string& uid) {
    Duration longest{0};
    for (const auto& client : clients_) longest = std::max(longest, client->believes_for(uid));
    return longest;
  };
  api.observe([this](const Commit& commit) { see(commit); });
}

void Simulation::see(const Commit& commit) {
  ++outcome_.writes;
  oracle_.on_commit(commit);
  for (const auto& one : operators_) one->on_commit(commit);
  for (const auto& client : clients_) client->on_commit(commit);
  if (commit.resource != lease_resource()) return;
  const std::string leader = text_in(*commit.after, "spec", "holderIdentity");
  if (leader != leader_ && !leader.empty()) ++outcome_.elections;
  leader_ = leader;
}

void Simulation::make_primitive(std::int64_t limit) {
  Json spec = kind_.primitive_spec(limit);
  spec["ttl"] = "20s";
  world_.command("user", kube::create(kind_.declaration.primitive_resource(), primitive_name.ns,
                                      {{"apiVersion", "sync.konductor.io/v1"},
                                       {"kind", kind_.declaration.names.kind},
                                       {"metadata", {{"name", primitive_name.name}}},
                                       {"spec", std::move(spec)}}));
}

void Simulation::add_operators() {
  for (int i = 0; i < scenario_.operators; ++i) {
    operators_.push_back(std::make_unique<SimOperator>(
        world_, i, kind_.declaration, [this](const SimOperator::Knowledge& knowledge) { executing(knowledge); }));
    operators_.back()->on_send = [this](const SimOperator& sender, const kube::Request& request) {
      sending(sender, request);
    };
    operators_.back()->stand_for_election();
    operators_.back()->start();
  }
}

// Who leads by election acts only while the Lease is its own: its own deadline comes before anybody can take it over.
void Simulation::sending(const SimOperator& sender, const kube::Request& request) {
  // Of what it did as the leader it may tell later.
  if (request.target.ends_with("/events")) return;
  if (sender.is_elected() && leader_ != sender.identity())
    oracle_.report(sender.name() + " acts as the leader that it was elected, and the Lease is " +
                   (leader_.empty() ? "nobody's" : leader_ + "'s"));
  if (!sender.leads())
    oracle_.report(sender.name() + " does not lead and sends " + std::string(kube::to_string(request.method)) + " " +
                   request.target);
}

void Simulation::executing(const SimOperator::Knowledge& knowledge) {
  oracle_.senders_view = knowledge.claims_seen;
  oracle_.sent_at = knowledge.at;
  oracle_.sent_elapsed = knowledge.elapsed;
  oracle_.sender_is_busy_with = [this, targets = knowledge.unanswered](const kube::NamespacedName& claim) {
    const std::string path = kube::path_of(kind_.declaration.claim_resource(), claim.ns, claim.name);
    return std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
      return target == path || target.starts_with(path + "/") || target.starts_with(path + "?");
    });
  };
}

void Simulation::add_clients() {
  Rng rng = world_.rng().fork();
  for (int i = 0; i < scenario_.clients; ++i) {
    ClientPlan plan;
    plan.number = i;
    plan.primitive = primitive_name;
    plan.in_pod = scenario_.pods && rng.chance(600);
    plan.units = rng.between(1, scenario_.most_units);
    plan.priority = rng.chance(200) ? rng.between(1, 2) : 0;
    plan.lasting = rng.chance(500);
    plan.wait = !rng.chance(80);
    if (rng.chance(100)) plan.timeout = rng.between(milliseconds{500}, seconds{15});
    if (rng.chance(200)) plan.crash_after = rng.between(milliseconds{1}, seconds{8});
    if (rng.chance(100)) plan.interrupted_at = rng.between(milliseconds{1}, seconds{8});
    plan.hold = rng.between(milliseconds{100}, seconds{9});
    if (rng.chance(300)) plan.ttl = seconds{rng.between(6, 25)};
    const auto draw = rng.between(0, 9);
    plan.end = draw < 6    ? ClientPlan::End::release
               : draw == 6 ? ClientPlan::End::silent
               : draw == 7 ? ClientPlan::End::finish
                           : ClientPlan::End::vanish;
    clients_.push_back(std::make_unique<SimClient>(world_, kind_, plan));
    clients_.back()->on_grant = [this](const SimClient& client, const std::string& uid, std::int64_t token) {
      granted(client, uid, token);
    };
    world_.after(rng.between(milliseconds{0}, seconds{scenario_.turbulent_s * 3 / 4}),
                 [client = clients_.back().get()] { client->start(); });
  }
}

void Simulation::granted(const SimClient& client, const std::string& uid, std::int64_t token) {
  oracle_.on_reported(uid, token);
  auto& [last_uid, last_token] = last_grant_[client.actor()];
  const bool same = uid == last_uid;
  if (same ? token != last_token : token <= last_token) {
    oracle_.report(client.actor() + " is granted with token " + std::to_string(token) + " after " +
                   std::to_string(last_token));
  }
  last_uid = uid;
  last_token = token;
}

void Simulation::collect_garbage() {
  world_.api().collect_garbage();
  world_.after(chaos_.between(seconds{7}, seconds{14}), [this] { collect_garbage(); });
}

void Simulation::quieten() {
  turbulent_ = false;
  world_.faults() = Faults{};
  world_.heal();
  for (const auto& one : operators_) {
    one->lead_as_elected();
    if (one->running()) one->go_on();
  }
  world_.after(seconds{7}, [this] {
    for (const auto& one : operators_) {
      if (!one->running()) one->start();
    }
    if (!world_.api().find(kind_.declaration.primitive_resource(), primitive_name)) make_primitive(scenario_.limit);
    patch_spec(kind_.primitive_spec(std::max(scenario_.limit, scenario_.most_units)));
  });
  // By then whatever was stalled, late or dead has come to its end.
  world_.after(seconds{40}, [this] { look(); });
}

void Simulation::look() {
  liveness_.look(primitive_name, seconds{scenario_.turbulent_s + 40});
  check_leaders();
  world_.after(seconds{1}, [this] { look(); });
}

void Simulation::check_leaders() {
  const auto leaders =
      std::count_if(operators_.begin(), operators_.end(), [](const auto& one) { return one->leads(); });
  if (leaders != 1) oracle_.report("while all is quiet " + std::to_string(leaders) + " lead");
}

bool Simulation::all_done() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->done(); });
}

void Simulation::run_until(Duration end) {
  while (oracle_.violations().empty() && world_.step(end)) {
  }
}

void Simulation::check_rest() {
  std::vector<std::string>& violations = outcome_.violations;
  for (const auto& client : clients_) {
    if (!client->done()) violations.push_back("at rest, still: " + client->describe());
  }
  const auto held = oracle_.held(primitive_name);
  const auto waiting = oracle_.waiting(primitive_name);
  for (const Holding& holding : held) violations.push_back("at rest, still held: " + holding.claim->dump());
  for (const ObjectPtr& claim : waiting) violations.push_back("at rest, still waiting: " + claim->dump());
  check_leaders();
  const ObjectPtr primitive = world_.api().find(kind_.declaration.primitive_resource(), primitive_name);
  const std::string why = kind_.miscounted(*primitive, 0, 0);
  if (!why.empty()) violations.push_back("at rest, the status is wrong: " + why + ": " + primitive->dump());
}

std::string Simulation::trace() const {
  std::string text;
  for (const auto& one : operators_) {
    text += one->counters() + "\n";
    const std::size_t shown = std::min<std::size_t>(one->log().size(), 15);
    for (std::size_t i = one->log().size() - shown; i < one->log().size(); ++i) text += "  " + one->log()[i] + "\n";
  }
  for (const kube::Resource& resource : {kind_.declaration.primitive_resource(), kind_.declaration.claim_resource()}) {
    const auto& log = world_.api().log(resource);
    const std::size_t shown = std::min<std::size_t>(log.size(), 25);
    for (std::size_t i = log.size() - shown; i < log.size(); ++i) {
      text += "  " + kube::to_rfc3339_micro(log[i].when) + " " + log[i].actor + " " + std::to_string(log[i].revision) +
              " " + kube::to_string(log[i].object) + " " + gist(log[i].after) + "\n";
    }
  }
  return text;
}

Outcome Simulation::run() {
  serve();
  set_faults();
  make_primitive(scenario_.limit);
  add_operators();
  add_clients();
  disturb();
  collect_garbage();
  const Duration turbulence = seconds{scenario_.turbulent_s};
  run_until(turbulence);
  quieten();
  // Each claim ends within a hold or a TTL, one after the other at worst.
  const Duration patience = seconds{60} + seconds{25} * scenario_.clients;
  while (oracle_.violations().empty() && !all_done() && world_.elapsed() < turbulence + patience) {
    run_until(world_.elapsed() + seconds{2});
  }
  run_until(world_.elapsed() + seconds{90});
  outcome_.violations = oracle_.violations();
  outcome_.grants = oracle_.grants();
  outcome_.expiries = oracle_.expiries();
  outcome_.operations = world_.requests();
  outcome_.faults = world_.harm() + static_cast<std::uint64_t>(disturbances_);
  if (outcome_.violations.empty()) check_rest();
  if (!outcome_.violations.empty()) outcome_.trace = trace();
  return outcome_;
}

Outcome run_simulation(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t seed) {
  return Simulation(scenario, kind, seed).run();
}

}  // namespace konductor::sim
