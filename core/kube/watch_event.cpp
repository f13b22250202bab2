#include "kube/watch_event.hpp"

#include "kube/json_fields.hpp"
#include "kube/response.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace konductor::kube {
namespace {

Error garbage(std::string_view why, std::string_view line) {
  return {Errc::protocol_violation,
          "the server sent a line in a watch stream that " + std::string(why) + ": " + one_line(line, 120)};
}

std::optional<WatchEventType> type_of(std::string_view name) noexcept {
  if (name == "ADDED") return WatchEventType::added;
  if (name == "MODIFIED") return WatchEventType::modified;
  if (name == "DELETED") return WatchEventType::deleted;
  if (name == "BOOKMARK") return WatchEventType::bookmark;
  return std::nullopt;
}

}  // namespace

Result<WatchEvent> parse_watch_line(std::string_view line) {
  nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
  if (event.is_discarded()) return garbage("is not JSON", line);
  const nlohmann::json* object = member(event, "object");
  if (object == nullptr || !object->is_object()) return garbage("has no object", line);
  const std::string_view type_name = text_at(event, "type");
  if (type_name == "ERROR") return error_of_status(*object, 500, {});
  const std::optional<WatchEventType> type = type_of(type_name);
  if (!type) return garbage("has an unknown type", line);

  WatchEvent result;
  result.type = *type;
  result.object = std::make_shared<const nlohmann::json>(std::move(event["object"]));
  result.resource_version = text_at(*result.object, "metadata.resourceVersion");
  return result;
}

}  // namespace konductor::kube
