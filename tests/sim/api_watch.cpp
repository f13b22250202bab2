#include "tests/sim/api_model.hpp"
#include "tests/sim/status_body.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;

Json event_object(const Json& object, bool metadata_only) {
  if (!metadata_only) return object;
  return {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", object.at("metadata")}};
}

std::string line(const char* type, const Json& object) {
  return Json{{"type", type}, {"object", object}}.dump() + "\n";
}

}  // namespace

kube::Response ApiModel::open_watch(const kube::Request& request, WatchCursor& cursor) {
  const std::optional<Target> target = parse_target(request.target);
  const auto found = target ? stores_.find(target->resource) : stores_.end();
  if (found == stores_.end()) return handle(request);  // the same refusal as for a list
  kube::Response response;
  response.status = 200;
  cursor = WatchCursor{};
  cursor.resource = target->resource;
  cursor.ns = target->object.ns;
  cursor.fields = Selector(target->parameter("fieldSelector"), Selector::About::fields);
  cursor.labels = Selector(target->parameter("labelSelector"), Selector::About::labels);
  cursor.bookmarks = target->parameter("allowWatchBookmarks") == "true";
  cursor.metadata_only = request.accept.find("as=PartialObjectMetadata") != std::string::npos;
  const std::string seconds = target->parameter("timeoutSeconds");
  cursor.end = now_ + std::chrono::seconds(seconds.empty() ? 1800 : std::stol(seconds));
  const std::string version = target->parameter("resourceVersion");
  cursor.revision = version.empty() || version == "0" ? revision_ : std::stoull(version);
  // The log is in the order of revisions.
  const std::vector<Commit>& made = found->second.log;
  const auto next =
      std::upper_bound(made.begin(), made.end(), cursor.revision,
                       [](std::uint64_t revision, const Commit& commit) { return revision < commit.revision; });
  cursor.read = static_cast<std::size_t>(next - made.begin());
  if (version.empty() || version == "0") {
    for (const auto& [name, object] : found->second.objects) {
      const bool here = cursor.ns.empty() || cursor.ns == name.ns;
      if (here && cursor.fields.matches(*object) && cursor.labels.matches(*object)) cursor.first.push_back(object);
    }
  }
  return response;
}

std::string ApiModel::read_watch(WatchCursor& cursor, bool bookmark, bool& ended) {
  std::string text;
  ended = now_ >= cursor.end;
  // The server answers 200 and says it in the stream.
  if (cursor.revision < compacted_) {
    ended = true;
    return line("ERROR", expired("too old resource version: " + std::to_string(cursor.revision) + " (" +
                                 std::to_string(compacted_) + ")")
                             .to_json());
  }
  for (const ObjectPtr& object : cursor.first) text += line("ADDED", event_object(*object, cursor.metadata_only));
  cursor.first.clear();
  const std::vector<Commit>& made = log(cursor.resource);
  for (; cursor.read < made.size(); ++cursor.read) {
    const Commit& commit = made[cursor.read];
    if (commit.revision <= cursor.revision || (!cursor.ns.empty() && commit.object.ns != cursor.ns)) continue;
    const Json& object = commit.after ? *commit.after : *commit.before;
    if (!cursor.labels.matches(object)) continue;
    switch (seen_through(cursor.fields, commit)) {
      case Seen::nothing: break;
      case Seen::added: text += line("ADDED", event_object(object, cursor.metadata_only)); break;
      case Seen::modified: text += line("MODIFIED", event_object(object, cursor.metadata_only)); break;
      case Seen::deleted: text += line("DELETED", event_object(object, cursor.metadata_only)); break;
    }
  }
  cursor.revision = std::max(cursor.revision, revision_);
  if (bookmark && cursor.bookmarks) {
    const Json object{{"kind", stores_.at(cursor.resource).served.kind},
                      {"metadata", {{"resourceVersion", std::to_string(cursor.revision)}}}};
    text += line("BOOKMARK", object);
  }
  return text;
}

}  // namespace konductor::sim
