#include "tests/sim/simulation_impl.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace konductor::sim {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

void Simulation::set_faults() {
  Faults& faults = world_.faults();
  if (scenario_.allows(Trouble::requests)) {
    faults.request_lost = 20;
    faults.answer_lost = 25;
    faults.late_commit = 12;
    faults.hung = 8;
    faults.throttled = 10;
    faults.slow = 60;
  }
  if (scenario_.allows(Trouble::watches)) {
    faults.watch_cut = 15;
    faults.watch_gone = 300;
    faults.watch_stalled = 12;
    faults.watch_dead = 4;
  }
}

void Simulation::disturb() {
  if (!turbulent_) return;
  // A generator for each: what one draws, or that it is left out, shifts no other.
  Rng rng = chaos_.fork();
  const auto first = static_cast<std::int64_t>(Trouble::crashes);
  const auto last = static_cast<std::int64_t>(Trouble::count) - 1;
  const auto trouble = static_cast<Trouble>(rng.between(first, last));
  if (scenario_.allows(trouble) && disturbances_ < scenario_.disturbances) {
    ++disturbances_;
    cause(trouble, rng);
  }
  world_.after(chaos_.between(milliseconds{50}, seconds{3}), [this] { disturb(); });
}

void Simulation::cause(Trouble trouble, Rng& rng) {
  switch (trouble) {
    case Trouble::crashes: return crash_operator(rng);
    case Trouble::shutdowns: return shut_down_operator(rng);
    case Trouble::pauses: return pause_operator(rng);
    case Trouble::partitions: return part(rng);
    case Trouble::two_leaders: return make_second_leader(rng);
    case Trouble::clocks: return jump_clocks(rng);
    case Trouble::server_clock: return jump_server_clock(rng);
    case Trouble::compaction: return compact(rng);
    case Trouble::client_crashes: return crash_client(rng);
    case Trouble::pods: return lose_pod(rng);
    case Trouble::deletions: return delete_claim(rng);
    case Trouble::bad_spec: return spoil_spec(rng);
    case Trouble::recreation: return recreate(rng);
    case Trouble::limit: return change_limit(rng);
    case Trouble::requests:
    case Trouble::watches:
    case Trouble::count: break;
  }
}

SimOperator* Simulation::pick_operator(Rng& rng) {
  std::vector<SimOperator*> running;
  for (const auto& one : operators_) {
    if (one->is_elected() && rng.chance(500)) return one.get();
    if (one->running()) running.push_back(one.get());
  }
  if (running.empty()) return nullptr;
  return running.at(static_cast<std::size_t>(rng.between(0, std::ssize(running) - 1)));
}

SimClient& Simulation::pick_client(Rng& rng) {
  return *clients_.at(static_cast<std::size_t>(rng.between(0, std::ssize(clients_) - 1)));
}

void Simulation::crash_operator(Rng& rng) {
  SimOperator* victim = pick_operator(rng);
  if (victim == nullptr) return;
  victim->crash();
  ++outcome_.crashes;
  world_.after(rng.between(milliseconds{10}, seconds{6}), [victim] {
    if (!victim->running()) victim->start();
  });
}

void Simulation::shut_down_operator(Rng& rng) {
  SimOperator* victim = pick_operator(rng);
  if (victim == nullptr) return;
  victim->shut_down();
  world_.after(rng.between(seconds{1}, seconds{6}), [victim] {
    if (!victim->running()) victim->start();
  });
}

// The longest is several leases.
void Simulation::pause_operator(Rng& rng) {
  SimOperator* victim = pick_operator(rng);
  if (victim != nullptr) victim->pause(rng.between(milliseconds{200}, seconds{25}));
}

void Simulation::part(Rng& rng) {
  const bool silent = rng.chance(500);
  const Duration length = rng.between(milliseconds{200}, seconds{20});
  SimOperator* victim = rng.chance(500) ? pick_operator(rng) : nullptr;
  world_.cut_off(victim != nullptr ? victim->name() : pick_client(rng).actor(), length, silent);
}

// Nothing in the protocol may rest on there being one at most.
void Simulation::make_second_leader(Rng& rng) {
  SimOperator& one = *operators_.at(static_cast<std::size_t>(rng.between(0, std::ssize(operators_) - 1)));
  one.lead(true);
  world_.after(rng.between(milliseconds{500}, seconds{10}), [&one] { one.lead_as_elected(); });
}

void Simulation::jump_clocks(Rng& rng) {
  const Duration by = rng.between(-seconds{7200}, seconds{7200});
  if (SimOperator* one = pick_operator(rng); one != nullptr && rng.chance(500)) return one->jump_clock(by);
  pick_client(rng).jump_clock(by);
}

void Simulation::jump_server_clock(Rng& rng) {
  // What flows in is counted by that very clock.
  if (!kind_.overdrawn) world_.jump_server_clock(rng.between(-seconds{90}, seconds{90}));
}

void Simulation::compact(Rng& rng) {
  for (const auto& one : operators_) one->catch_up();
  const std::uint64_t revision = world_.api().revision();
  world_.api().compact(revision - static_cast<std::uint64_t>(rng.between(0, 30)));
}

void Simulation::crash_client(Rng& rng) {
  pick_client(rng).crash();
}

void Simulation::lose_pod(Rng& rng) {
  pick_client(rng).lose_pod(rng.chance(300));
}

void Simulation::delete_claim(Rng& rng) {
  const kube::Resource claims = kind_.declaration.claim_resource();
  const auto all = world_.api().objects(claims);
  if (all.empty()) return;
  const Json& picked = *all.at(static_cast<std::size_t>(rng.between(0, std::ssize(all) - 1)));
  world_.command("user", kube::delete_object(claims, {primitive_name.ns, picked["metadata"]["name"]}, {}));
}

void Simulation::patch_spec(const Json& spec) {
  world_.command("user", kube::merge_patch(kind_.declaration.primitive_resource(), primitive_name, {{"spec", spec}}));
}

void Simulation::spoil_spec(Rng& rng) {
  if (!kind_.unreadable_spec) return;
  patch_spec(kind_.unreadable_spec());
  world_.after(rng.between(milliseconds{100}, seconds{4}),
               [this] { patch_spec(kind_.primitive_spec(scenario_.limit)); });
}

// Most often within the same second, sometimes twice, sometimes edited on the way.
void Simulation::recreate(Rng& rng) {
  const kube::Resource primitives = kind_.declaration.primitive_resource();
  const auto once = [this, primitives](std::int64_t limit) {
    ++outcome_.recreations;
    world_.command("user", kube::delete_object(primitives, primitive_name, {}));
    make_primitive(limit);
  };
  const std::int64_t limit = scenario_.limit;
  const auto draw = rng.between(0, 9);
  if (draw == 0) {
    once(limit);
    patch_spec(kind_.primitive_spec(limit + 1));
    patch_spec(kind_.primitive_spec(limit));
    once(limit);
  } else if (draw < 7) {
    once(limit);
  } else {
    ++outcome_.recreations;
    world_.command("user", kube::delete_object(primitives, primitive_name, {}));
    world_.after(rng.between(milliseconds{1}, seconds{3}), [this, limit] { make_primitive(limit); });
  }
}

void Simulation::change_limit(Rng& rng) {
  patch_spec(kind_.primitive_spec(rng.between(0, scenario_.limit + 1)));
}

}  // namespace konductor::sim
