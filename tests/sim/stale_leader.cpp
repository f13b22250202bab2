#include "tests/sim/stale_leader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const kube::NamespacedName the_primitive{"ns", "it"};

bool is_pending(const ObjectPtr& primitive, std::string_view claim) {
  const Json pending = primitive->value(Json::json_pointer("/status/ledger/pending"), Json::array());
  return std::any_of(pending.begin(), pending.end(), [&](const Json& entry) { return entry.at("claim") == claim; });
}

}  // namespace

StaleLeader::StaleLeader(std::uint64_t seed, Early early) : early_(early), world_(seed), oracle_(world_.api(), kind_) {
  const auto& declared = kind_.declaration;
  for (const auto& [resource, name] : {std::pair{declared.primitive_resource(), declared.names.kind},
                                       std::pair{declared.claim_resource(), declared.claim.kind},
                                       std::pair{kube::Resource{"", "v1", "pods"}, std::string{"Pod"}},
                                       std::pair{kube::Resource{"", "v1", "events"}, std::string{"Event"}}}) {
    world_.api().serve({.resource = resource,
                        .kind = name,
                        .status_subresource = true,
                        .selectable = {"status.phase", "spec." + declared.primitive_field},
                        .rules = {}});
  }
  for (int i = 0; i < 2; ++i) {
    operators_.push_back(std::make_unique<SimOperator>(world_, i, declared, [](const SimOperator::Knowledge&) {}));
  }
  world_.api().observe([this](const Commit& commit) { see(commit); });
}

void StaleLeader::run() {
  first_life_ = make_primitive();
  operators_.front()->lead(true);
  for (const auto& one : operators_) one->start();
  if (early_ == Early::after_a_holder) {
    world_.after(milliseconds{50}, [this] { make_claim("holder", 0); });
    world_.after(milliseconds{600}, [this] { release("holder"); });
  }
  // Where the clock goes back: not in the primitive's own second, in which it would be marked.
  const auto arrives = milliseconds{early_ == Early::newer_by_time ? 1500 : 100};
  world_.after(arrives, [this] { make_claim("early", 0); });
  run_for(seconds{20});
}

void StaleLeader::run_for(Duration time) {
  for (const Duration end = world_.elapsed() + time; world_.step(end);) {
  }
}

void StaleLeader::release(const std::string& claim) {
  world_.command("user", kube::delete_object(kind_.declaration.claim_resource(), {the_primitive.ns, claim}, {}));
}

ObjectPtr StaleLeader::claim(const std::string& name) const {
  return world_.api().find(kind_.declaration.claim_resource(), {the_primitive.ns, name});
}

void StaleLeader::see(const Commit& commit) {
  oracle_.on_commit(commit);
  for (const auto& one : operators_) one->on_commit(commit);
  const bool primitive = commit.resource == kind_.declaration.primitive_resource() && commit.after;
  if (primitive && !recorded_ && is_pending(commit.after, the_primitive.ns + "/early")) {
    // Before the answer comes: it tells only when it runs again, and before it hears of anything else.
    recorded_ = true;
    operators_.front()->pause(seconds{10});
    world_.after(milliseconds{1}, [this] { begin_second_life(); });
  }
  if (commit.object.name == "urgent" && commit.after && phase_of(*commit.after) == "Granted") {
    world_.after(milliseconds{0}, [this] { operators_.front()->go_on(); });
  }
}

void StaleLeader::begin_second_life() {
  if (early_ == Early::newer_by_time) world_.jump_server_clock(-seconds{5});
  world_.command("user", kube::delete_object(kind_.declaration.primitive_resource(), the_primitive, {}));
  second_life_ = make_primitive();
  make_claim("urgent", 1);
  // Once it has seen the new life, and so knows nothing of what was recorded in the former.
  world_.after(milliseconds{50}, [this] { operators_.back()->lead(true); });
}

ObjectPtr StaleLeader::make_primitive() {
  Json spec = kind_.primitive_spec(1);
  spec["ttl"] = "10m";
  world_.command("user", kube::create(kind_.declaration.primitive_resource(), the_primitive.ns,
                                      {{"apiVersion", "sync.konductor.io/v1"},
                                       {"kind", kind_.declaration.names.kind},
                                       {"metadata", {{"name", the_primitive.name}}},
                                       {"spec", std::move(spec)}}));
  return world_.api().find(kind_.declaration.primitive_resource(), the_primitive);
}

void StaleLeader::make_claim(const std::string& name, std::int64_t priority) {
  Json spec = kind_.claim_spec(1, 0);
  spec[kind_.declaration.primitive_field] = the_primitive.name;
  spec["priority"] = priority;
  world_.command("user", kube::create(kind_.declaration.claim_resource(), the_primitive.ns,
                                      {{"apiVersion", "sync.konductor.io/v1"},
                                       {"kind", kind_.declaration.claim.kind},
                                       {"metadata", {{"name", name}}},
                                       {"spec", std::move(spec)}}));
}

}  // namespace konductor::sim
