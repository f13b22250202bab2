#pragma once

#include "kube/time.hpp"
#include "runtime/kind.hpp"
#include "tests/sim/api_model.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace konductor::sim {

/// A claim that holds, or that is recorded and may be told at any moment.
struct Holding {
  std::string key;
  std::int64_t units = 0;
  ObjectPtr claim;
};

/// A kind, and what its users were promised: stated here a second time, without a look at its decide.
struct KindUnderTest {
  runtime::KindDeclaration declaration;
  /// Says what is wrong where these hold at once under this spec, or nothing.
  std::function<std::string(const nlohmann::json& spec, const std::vector<Holding>& held)> too_much;
  /// Of kinds whose grants are used up: what is wrong with so many units since the primitive was made.
  std::function<std::string(const nlohmann::json& spec, std::int64_t consumed, std::chrono::microseconds age)>
      overdrawn;
  /// True for a claim that its primitive could never serve, so that others may pass it.
  std::function<bool(const nlohmann::json& spec, const nlohmann::json& claim)> never_fits;
  /// False for a spec that says nothing: then nothing may be granted.
  std::function<bool(const nlohmann::json& spec)> readable = [](const nlohmann::json&) { return true; };
  /// At rest: what is wrong with the numbers in the primitive's status.
  std::function<std::string(const nlohmann::json& primitive, std::int64_t held, std::int64_t waiting)> miscounted;
  /// Whether waiters are served strictly in order.
  bool in_order = true;
  /// Of a waiting claim, for that order; not set: its own spec.priority.
  std::function<std::int64_t(const nlohmann::json& spec, const nlohmann::json& claim, kube::WallTime now)> priority;

  std::function<nlohmann::json(std::int64_t limit)> primitive_spec;
  std::function<nlohmann::json()> unreadable_spec;
  /// The kind's own members of a claim's spec; `choice` is any number.
  std::function<nlohmann::json(std::int64_t units, std::uint64_t choice)> claim_spec;
};

}  // namespace konductor::sim
