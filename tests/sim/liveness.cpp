#include "tests/sim/liveness.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace konductor::sim {

using std::chrono::seconds;

namespace {

// Of a healthy leader, over a network that needs milliseconds.
constexpr Duration lateness = seconds{5};

std::string uid_of(const nlohmann::json& object) {
  return object.at("metadata").at("uid").get<std::string>();
}

}  // namespace

Duration Liveness::since(std::map<std::string, Duration>& times, const std::string& uid) const {
  return times.try_emplace(uid, world_.elapsed()).first->second;
}

void Liveness::look(const kube::NamespacedName& primitive, Duration quiet) {
  look_at_holders(primitive, quiet);
  look_at_waiters(primitive, quiet);
}

void Liveness::look_at_holders(const kube::NamespacedName& primitive, Duration quiet) {
  const Duration now = world_.elapsed();
  for (const Holding& holding : oracle_.held(primitive)) {
    if (oracle_.pod_is_dead(*holding.claim)) {
      if (now - std::max(since(dead_, holding.key), quiet) > lateness)
        oracle_.report("its Pod is gone, and it holds still: " + holding.claim->dump());
      continue;
    }
    const Duration silent = now - std::max(oracle_.last_sign(holding.key), quiet);
    if (silent > oracle_.ttl_of(*holding.claim) + lateness)
      oracle_.report("silent for longer than its TTL, and it holds still: " + holding.claim->dump());
  }
}

void Liveness::look_at_waiters(const kube::NamespacedName& primitive, Duration quiet) {
  const ObjectPtr object = world_.api().find(kind_.declaration.primitive_resource(), primitive);
  if (!object || kind_.overdrawn) return;
  const Duration now = world_.elapsed();
  ObjectPtr head;
  for (const ObjectPtr& claim : oracle_.waiting(primitive)) {
    const Duration silent = now - std::max(oracle_.last_sign(uid_of(*claim)), quiet);
    if (silent > oracle_.ttl_of(*claim) + lateness && !claim->at("spec").contains("pod"))
      oracle_.report("nobody has asked for it for longer than its TTL, and it waits still: " + claim->dump());
    if (kind_.never_fits(object->at("spec"), *claim) || oracle_.pod_is_dead(*claim)) continue;
    if (!head || oracle_.comes_before(*object, *claim, *head, world_.wall())) head = claim;
  }
  bool fits = false;
  if (head) {
    auto all = oracle_.held(primitive);
    const auto units = head->at("spec").value(kind_.declaration.units_field, std::int64_t{1});
    all.push_back({uid_of(*head), units, head});
    fits = kind_.too_much(object->at("spec"), all).empty();
  }
  const std::string uid = fits ? uid_of(*head) : "";
  if (uid != head_) {
    head_ = uid;
    head_since_ = now;
  }
  if (fits && now - std::max(head_since_, quiet) > lateness)
    oracle_.report("it comes first and would fit, and it waits still: " + head->dump());
}

}  // namespace konductor::sim
