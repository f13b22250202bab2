#pragma once

#include "base/error.hpp"
#include "kube/resource.hpp"
#include "runtime/clock.hpp"
#include "runtime/ledger.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace konductor::runtime {

/// An object of a plugin's main kind, as the host reads it.
struct Primitive {
  kube::NamespacedName name;
  std::string uid;
  std::string resource_version;
  std::uint64_t rv = 0;
  std::int64_t generation = 0;
  std::int64_t created = 0;  // whole seconds, in microseconds
  std::int64_t ttl = 0;      // spec.ttl in microseconds; 0: not given
  bool deleting = false;
  std::string spec;             // JSON text
  std::string state;            // JSON text, "{}" at first
  std::int64_t state_time = 0;  // by the server's clock, in microseconds, when `state` was decided; 0: never
  std::optional<Ledger> ledger;
  std::string ledger_error;  // not empty: it is there and cannot be read
  std::shared_ptr<const nlohmann::json> object;
};

/// What a decision takes for the present: never before the time that its state was committed with.
[[nodiscard]] WallTime plan_time(const Primitive& primitive, WallTime server_now) noexcept;

Result<Primitive> parse_primitive(std::shared_ptr<const nlohmann::json> object);

}  // namespace konductor::runtime
