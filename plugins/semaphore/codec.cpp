#include "semaphore/codec.hpp"

#include <konductor/duration.hpp>
#include <konductor/json.hpp>

namespace konductor::semaphore {
namespace {

/// False where it is there and cannot be understood: that is not the same as absent.
bool read_priority_aging(const plugin::JsonObject& object, Spec& spec) {
  if (object.raw("priorityAging").empty()) return true;
  const auto aging = plugin::parse_duration(object.string("priorityAging").value_or(""));
  if (!aging || *aging < shortest_aging || *aging > longest_aging) return false;
  spec.priority_aging = *aging;
  return true;
}

bool read_max_priority(const plugin::JsonObject& object, Spec& spec) {
  if (object.raw("maxPriority").empty()) return true;
  const auto most = object.integer("maxPriority");
  if (!most || *most < -most_priority || *most > most_priority) return false;
  spec.max_priority = static_cast<std::int32_t>(*most);
  return true;
}

}  // namespace

std::optional<Spec> parse_spec(std::string_view json) {
  const auto object = plugin::JsonObject::parse(json);
  if (!object) return std::nullopt;
  const auto permits = object->integer("permits");
  if (!permits || *permits < 0 || *permits > most_permits) return std::nullopt;
  Spec spec{.permits = static_cast<std::int32_t>(*permits)};
  if (!read_priority_aging(*object, spec) || !read_max_priority(*object, spec)) return std::nullopt;
  return spec;
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
