#include "fuzz/fuzz.hpp"
#include "fuzz/sentence.hpp"
#include "kube/json_fields.hpp"
#include "kube/watch_event.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;

std::string_view name_of(kube::WatchEventType type) {
  switch (type) {
    case kube::WatchEventType::added: return "ADDED";
    case kube::WatchEventType::modified: return "MODIFIED";
    case kube::WatchEventType::deleted: return "DELETED";
    case kube::WatchEventType::bookmark: return "BOOKMARK";
  }
  return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = fuzz::text_of(data, size);
  const auto event = kube::parse_watch_line(line);
  if (!event) {
    fuzz::expect_sentence(event.error());
    return 0;
  }
  expect(event->object && event->object->is_object(), "an event has an object");
  expect(event->resource_version == kube::text_at(*event->object, "metadata.resourceVersion"),
         "the resourceVersion is the object's");
  const nlohmann::json again = {{"type", name_of(event->type)}, {"object", *event->object}};
  const auto second = kube::parse_watch_line(again.dump());
  expect(second && second->type == event->type && *second->object == *event->object, "written again it is the same");
  return 0;
}
