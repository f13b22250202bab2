#include "runtime/primitive.hpp"

#include "kube/json_fields.hpp"
#include "kube/object_meta.hpp"
#include "kube/resource_version.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::runtime {
namespace {

using nlohmann::json;

std::string text_of_object(const json& object, std::string_view path) {
  const json* found = kube::find_path(object, path);
  return found != nullptr && found->is_object() ? found->dump(-1, ' ', false, json::error_handler_t::replace) : "{}";
}

}  // namespace

WallTime plan_time(const Primitive& primitive, WallTime server_now) noexcept {
  return std::max(server_now, WallTime{Duration{primitive.state_time}});
}

Result<Primitive> parse_primitive(std::shared_ptr<const json> object) {
  auto meta = kube::parse_meta(*object);
  if (!meta) return meta.error();
  Primitive primitive;
  primitive.name = {meta->ns, meta->name};
  primitive.uid = meta->uid;
  primitive.resource_version = meta->resource_version;
  primitive.rv = kube::parse_resource_version(meta->resource_version).value_or(0);
  primitive.generation = meta->generation;
  primitive.created = meta->creation.time_since_epoch().count();
  primitive.deleting = meta->deleting;
  const auto ttl = kube::parse_duration(kube::text_at(*object, "spec.ttl"));
  primitive.ttl = ttl ? ttl->count() : 0;
  primitive.spec = text_of_object(*object, "spec");
  primitive.state = text_of_object(*object, "status.state");
  const auto state_time = kube::parse_rfc3339(kube::text_at(*object, "status.stateTime"));
  primitive.state_time = state_time ? state_time->time_since_epoch().count() : 0;
  auto ledger = parse_ledger(*object);
  if (ledger) {
    primitive.ledger = std::move(*ledger);
  } else {
    primitive.ledger_error = ledger.error().detail;
  }
  primitive.object = std::move(object);
  return primitive;
}

}  // namespace konductor::runtime
