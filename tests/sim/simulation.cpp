#include "tests/sim/simulation.hpp"

#include "tests/sim/oracle.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_operator.hpp"
#include "tests/sim/world.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const kube::NamespacedName primitive_name{"team-a", "it"};

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

class Simulation {
 public:
  Simulation(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t seed)
      : scenario_(scenario), kind_(kind), world_(seed), oracle_(world_.api(), kind), chaos_(world_.rng().fork()) {}

  Outcome run();

 private:
  void serve();
  void add_operators();
  void executing(const SimOperator::Knowledge& knowledge);
  void add_clients();
  void disturb();
  void disturb_operator();
  void disturb_objects();
  void set_faults();
  void choose_leaders();
  void make_primitive(std::int64_t limit);
  void collect_garbage();
  void quieten();
  void check_rest();
  void run_until(Duration end);
  [[nodiscard]] bool all_done() const;
  [[nodiscard]] std::string trace() const;

  Scenario scenario_;
  const KindUnderTest& kind_;
  World world_;
  Oracle oracle_;
  Rng chaos_;
  std::vector<std::unique_ptr<SimOperator>> operators_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  bool turbulent_ = true;
  Outcome outcome_;
};

void Simulation::serve() {
  ApiModel& api = world_.api();
  const auto& declared = kind_.declaration;
  api.serve({.resource = declared.primitive_resource(),
             .kind = declared.names.kind,
             .status_subresource = true,
             .selectable = {},
             .rules = {}});
  api.serve({.resource = declared.claim_resource(),
             .kind = declared.claim.kind,
             .status_subresource = true,
             .selectable = {"spec." + declared.primitive_field},
             .rules = {finality, immutability}});
  api.serve({.resource = {"", "v1", "pods"},
             .kind = "Pod",
             .status_subresource = true,
             .selectable = {"status.phase"},
             .rules = {}});
  api.serve({.resource = {"", "v1", "events"}, .kind = "Event", .selectable = {}, .rules = {}});
  api.serve({.resource = {"events.k8s.io", "v1", "events"}, .kind = "Event", .selectable = {}, .rules = {}});
  oracle_.believes = [this](const std::string& uid) {
    return std::any_of(clients_.begin(), clients_.end(), [&](const auto& client) { return client->believes(uid); });
  };
  oracle_.believes_for = [this](const std::string& uid) {
    Duration longest{0};
    for (const auto& client : clients_) longest = std::max(longest, client->believes_for(uid));
    return longest;
  };
  api.observe([this](const Commit& commit) {
    ++outcome_.writes;
    oracle_.on_commit(commit);
    for (const auto& one : operators_) one->on_commit(commit);
    for (const auto& client : clients_) client->on_commit(commit);
  });
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
    operators_.back()->lead(i == 0);
    operators_.back()->start();
  }
}

void Simulation::executing(const SimOperator::Knowledge& knowledge) {
  oracle_.senders_view = knowledge.claims_seen;
  oracle_.sent_at = knowledge.at;
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
    world_.after(rng.between(milliseconds{0}, seconds{scenario_.turbulent_s * 3 / 4}),
                 [client = clients_.back().get()] { client->start(); });
  }
}

void Simulation::set_faults() {
  if (!scenario_.faults) return;
  Faults& faults = world_.faults();
  faults.request_lost = 20;
  faults.answer_lost = 25;
  faults.late_commit = 12;
  faults.throttled = 10;
  faults.slow = 60;
  faults.watch_cut = 15;
  faults.watch_gone = 300;
  faults.watch_stalled = 12;
}

void Simulation::choose_leaders() {
  // Both at once is what the protocol must stand; none at all only delays.
  for (const auto& one : operators_) one->lead(chaos_.chance(700));
}

void Simulation::disturb_operator() {
  SimOperator& victim = *operators_.at(static_cast<std::size_t>(chaos_.between(0, scenario_.operators - 1)));
  if (!victim.running()) return;
  if (chaos_.chance(450)) {
    victim.crash();
    ++outcome_.crashes;
    world_.after(chaos_.between(milliseconds{10}, seconds{6}), [&victim] { victim.start(); });
  } else {
    victim.pause(chaos_.between(milliseconds{200}, seconds{25}));
  }
}

void Simulation::disturb_objects() {
  const kube::Resource primitives = kind_.declaration.primitive_resource();
  const kube::Resource claims = kind_.declaration.claim_resource();
  if (scenario_.recreate && chaos_.chance(500)) {
    ++outcome_.recreations;
    world_.command("user", kube::delete_object(primitives, primitive_name, {}));
    const std::int64_t limit = scenario_.limit;
    if (chaos_.chance(600))
      make_primitive(limit);
    else
      world_.after(chaos_.between(milliseconds{1}, seconds{3}), [this, limit] { make_primitive(limit); });
  } else if (scenario_.change_limit && chaos_.chance(600)) {
    const Json spec = kind_.primitive_spec(chaos_.between(0, scenario_.limit + 1));
    world_.command("user", kube::merge_patch(primitives, primitive_name, {{"spec", spec}}));
  } else if (chaos_.chance(200)) {
    const auto all = world_.api().objects(claims);
    if (all.empty()) return;
    const Json& picked =
        *all.at(static_cast<std::size_t>(chaos_.between(0, static_cast<std::int64_t>(all.size()) - 1)));
    world_.command("user", kube::delete_object(claims, {primitive_name.ns, picked["metadata"]["name"]}, {}));
  }
}

void Simulation::disturb() {
  if (!turbulent_) return;
  const auto draw = chaos_.between(0, 9);
  if (scenario_.faults && draw < 3)
    disturb_operator();
  else if (scenario_.faults && draw < 6)
    choose_leaders();
  else
    disturb_objects();
  world_.after(chaos_.between(milliseconds{50}, seconds{4}), [this] { disturb(); });
}

void Simulation::collect_garbage() {
  world_.api().collect_garbage();
  world_.after(chaos_.between(seconds{7}, seconds{14}), [this] { collect_garbage(); });
}

void Simulation::quieten() {
  turbulent_ = false;
  world_.faults() = Faults{};
  for (const auto& one : operators_) one->lead(one == operators_.front());
  world_.after(seconds{7}, [this] {
    for (const auto& one : operators_) {
      if (!one->running()) one->start();
    }
    if (!world_.api().find(kind_.declaration.primitive_resource(), primitive_name)) make_primitive(scenario_.limit);
    const Json spec = kind_.primitive_spec(std::max(scenario_.limit, scenario_.most_units));
    world_.command("user", kube::merge_patch(kind_.declaration.primitive_resource(), primitive_name, {{"spec", spec}}));
  });
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
  const ObjectPtr primitive = world_.api().find(kind_.declaration.primitive_resource(), primitive_name);
  const std::string why = kind_.miscounted(*primitive, 0, 0);
  if (!why.empty()) violations.push_back("at rest, the status is wrong: " + why + ": " + primitive->dump());
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
  if (outcome_.violations.empty()) check_rest();
  if (!outcome_.violations.empty()) outcome_.trace = trace();
  return outcome_;
}

}  // namespace

Outcome run_simulation(const Scenario& scenario, const KindUnderTest& kind, std::uint64_t seed) {
  return Simulation(scenario, kind, seed).run();
}

}  // namespace konductor::sim
