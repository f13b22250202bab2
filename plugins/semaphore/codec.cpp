#include "semaphore/codec.hpp"

#include <konductor/json.hpp>

namespace konductor::semaphore {

std::optional<Spec> parse_spec(std::string_view json) {
  const auto object = plugin::JsonObject::parse(json);
  if (!object) return std::nullopt;
  const auto permits = object->integer("permits");
  if (!permits || *permits < 0 || *permits > most_permits) return std::nullopt;
  return Spec{static_cast<std::int32_t>(*permits)};
}

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::paused: return "Paused";
    case Phase::draining: return "Draining";
    case Phase::ready: break;
  }
  return "Ready";
}

std::string to_json(const Status& status) {
  return plugin::JsonWriter()
      .string("phase", to_string(status.phase))
      .integer("permits", status.permits)
      .integer("inUse", status.in_use)
      .integer("available", status.available)
      .integer("waiting", status.waiting)
      .text();
}

}  // namespace konductor::semaphore
