#include "runtime/event_write.hpp"

#include "kube/text.hpp"
#include "kube/time.hpp"
#include "runtime/kind.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace konductor::runtime {
namespace {

using nlohmann::json;

constexpr std::size_t longest_name = 253;      // of any object
constexpr std::size_t longest_message = 1024;  // of an Event: the API server refuses more

/// `text`, cut between characters.
std::string cut(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::string event_name(const std::string& subject, std::uint64_t serial, WallTime now) {
  const auto tail = "." + std::to_string(now.time_since_epoch().count()) + "-" + std::to_string(serial);
  return cut(subject, longest_name - tail.size()) + tail;
}

}  // namespace

kube::Request event_write(const Announcement& announcement, const std::string& component, std::uint64_t serial,
                          WallTime server_now) {
  const auto& [subject, event] = announcement;
  const auto time = kube::to_rfc3339(server_now);
  const json object = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata", {{"name", event_name(subject.name.name, serial, server_now)}, {"namespace", subject.name.ns}}},
      {"involvedObject",
       {{"apiVersion", std::string(api_group) + "/" + api_version},
        {"kind", subject.kind},
        {"namespace", subject.name.ns},
        {"name", subject.name.name},
        {"uid", subject.uid},
        {"resourceVersion", subject.resource_version}}},
      {"reason", event.reason},
      {"message", cut(kube::visible(event.message), longest_message)},
      {"type", event.warning ? "Warning" : "Normal"},
      {"source", {{"component", component}}},
      {"firstTimestamp", time},
      {"lastTimestamp", time},
      {"count", 1}};
  return kube::create({"", "v1", "events"}, subject.name.ns, object);
}

}  // namespace konductor::runtime
