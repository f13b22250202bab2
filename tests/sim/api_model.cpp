#include "tests/sim/api_model.hpp"

#include "tests/sim/status_body.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <ctime>
#include <set>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;

kube::Response answer(int status, const Json& body) {
  kube::Response response;
  response.status = status;
  response.body = body.dump();
  return response;
}

kube::Response no_such_path() {
  kube::Response response;
  response.status = 404;
  response.body = "404 page not found\n";
  return response;
}

std::string http_date(kube::WallTime time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

std::string api_version_of(const kube::Resource& resource) {
  return resource.group.empty() ? resource.version : resource.group + "/" + resource.version;
}

Json shown(const Json& object, const kube::Request& request) {
  if (request.accept.find("as=PartialObjectMetadata") == std::string::npos) return object;
  return {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", object.at("metadata")}};
}

std::string member(const Json& object, const char* section, const char* key) {
  const auto found = object.find(section);
  if (found == object.end() || !found->is_object()) return {};
  const auto value = found->find(key);
  return value != found->end() && value->is_string() ? value->get<std::string>() : std::string{};
}

std::string unsupported_field(const Selector& fields, const ServedResource& served) {
  for (const std::string& key : fields.keys()) {
    if (key == "metadata.name" || key == "metadata.namespace") continue;
    bool known = false;
    for (const std::string& path : served.selectable) known = known || path == key;
    if (!known) return key;
  }
  return {};
}

/// The object that a merge patch makes, with what clients cannot change put back.
Json patched(const Json& before, const Json& patch, const ServedResource& served, bool status_only) {
  Json after = before;
  Json effective = patch;
  if (status_only) {
    after["status"] = before.contains("status") ? before["status"] : Json();
    Json wrapped = Json::object();
    if (patch.contains("status")) wrapped["status"] = patch["status"];
    effective = std::move(wrapped);
    if (after["status"].is_null()) after.erase("status");
  } else if (served.status_subresource) {
    effective.erase("status");
  }
  after.merge_patch(effective);
  for (const char* fixed : {"name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion"}) {
    if (before["metadata"].contains(fixed)) after["metadata"][fixed] = before["metadata"][fixed];
  }
  after["kind"] = before["kind"];
  after["apiVersion"] = before["apiVersion"];
  return after;
}

bool same_content(Json before, Json after) {
  before.erase("metadata");
  after.erase("metadata");
  before.erase("status");
  after.erase("status");
  return before == after;
}

}  // namespace

Seen seen_through(const Selector& selector, const Commit& commit) {
  const bool before = commit.before && selector.matches(*commit.before);
  const bool after = commit.after && selector.matches(*commit.after);
  if (after) return before ? Seen::modified : Seen::added;
  return before ? Seen::deleted : Seen::nothing;
}

void ApiModel::serve(ServedResource served) {
  const kube::Resource resource = served.resource;
  stores_[resource].served = std::move(served);
}

ApiModel::Store* ApiModel::store_of(const Target& target) {
  const auto found = stores_.find(target.resource);
  return found == stores_.end() ? nullptr : &found->second;
}

kube::Response ApiModel::handle(const kube::Request& request, const std::string& actor) {
  const std::optional<Target> target = parse_target(request.target);
  kube::Response response = target ? route(*target, request, actor) : no_such_path();
  response.date = http_date(now_);
  return response;
}

kube::Response ApiModel::route(const Target& target, const kube::Request& request, const std::string& actor) {
  Store* store = store_of(target);
  if (store == nullptr) return no_such_path();
  const bool has_status = store->served.status_subresource;
  if (!target.subresource.empty() && (target.subresource != "status" || !has_status)) return no_such_path();
  const Call call{request, target, *store, actor};
  const bool named = !target.object.name.empty();
  switch (request.method) {
    case kube::Method::get: return named ? get(call) : list(call);
    case kube::Method::post:
      if (!named) return create(call);
      break;
    case kube::Method::patch:
      if (named) return patch(call);
      break;
    case kube::Method::delete_:
      if (named) return remove(call);
      break;
    case kube::Method::put: break;
  }
  return response_of(
      {405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}, {}, {}});
}

kube::Response ApiModel::get(const Call& call) const {
  const auto found = call.store.objects.find(call.target.object);
  if (found == call.store.objects.end()) {
    return response_of(not_found(call.target.resource, call.target.object.name));
  }
  return answer(200, shown(*found->second, call.request));
}

kube::Response ApiModel::list(const Call& call) {
  const Selector fields(call.target.parameter("fieldSelector"), Selector::About::fields);
  const Selector labels(call.target.parameter("labelSelector"), Selector::About::labels);
  if (const std::string key = unsupported_field(fields, call.store.served); !key.empty()) {
    return response_of(bad_request("Unable to find \"" + kube::to_string(call.target.resource) +
                                   "\" that match label selector \"\", field selector \"" +
                                   call.target.parameter("fieldSelector") + "\": field label not supported: " + key));
  }
  Page page;
  if (const std::string token = call.target.parameter("continue"); !token.empty()) {
    const auto found = pages_.find(token);
    if (found == pages_.end()) {
      return response_of(expired("The provided continue parameter is too old to display a consistent list result."));
    }
    page = found->second;
  } else {
    page.revision = revision_;
    for (const auto& [name, object] : call.store.objects) {
      if (call.target.object.ns.empty() || call.target.object.ns == name.ns) page.rest.push_back(object);
    }
  }
  const std::string limit_text = call.target.parameter("limit");
  const std::size_t limit = limit_text.empty() ? 0 : std::stoul(limit_text);
  Json items = Json::array();
  std::size_t read = 0;
  for (; read < page.rest.size() && (limit == 0 || items.size() < limit); ++read) {
    const Json& object = *page.rest[read];
    if (fields.matches(object) && labels.matches(object)) items.push_back(shown(object, call.request));
  }
  Json metadata{{"resourceVersion", std::to_string(page.revision)}};
  // Pages are cut before they are selected from, as the real server does it: what is left may hold nothing that
  // matches.
  if (read < page.rest.size()) {
    if (fields.keys().empty() && labels.keys().empty()) metadata["remainingItemCount"] = page.rest.size() - read;
    const std::string token = "page-" + std::to_string(++page_tokens_);
    page.rest.erase(page.rest.begin(), page.rest.begin() + static_cast<std::ptrdiff_t>(read));
    metadata["continue"] = token;
    pages_[token] = std::move(page);
  }
  return answer(200, {{"kind", call.store.served.kind + "List"},
                      {"apiVersion", api_version_of(call.target.resource)},
                      {"metadata", std::move(metadata)},
                      {"items", std::move(items)}});
}

kube::Response ApiModel::create(const Call& call) {
  const ServedResource& served = call.store.served;
  Json object = Json::parse(call.request.body, nullptr, false);
  if (!object.is_object()) return response_of(bad_request("the object provided is unrecognized"));
  if (object.value("kind", "") != served.kind || object.value("apiVersion", "") != api_version_of(served.resource)) {
    return response_of(bad_request("the API version in the data does not match the expected API version"));
  }
  kube::NamespacedName name{call.target.object.ns, member(object, "metadata", "name")};
  if (name.name.empty()) {
    return response_of(
        invalid(served.resource, served.kind, "", "metadata.name: Required value: name or generateName is required"));
  }
  const std::string named_ns = member(object, "metadata", "namespace");
  if (!named_ns.empty() && named_ns != name.ns) {
    return response_of(
        bad_request("the namespace of the provided object does not match the namespace sent on the request"));
  }
  if (call.store.objects.contains(name)) return response_of(already_exists(served.resource, name.name));
  std::array<char, 48> uid{};
  std::snprintf(uid.data(), uid.size(), "00000000-0000-4000-8000-%012llu", static_cast<unsigned long long>(++uids_));
  Json& metadata = object["metadata"];
  if (!name.ns.empty()) metadata["namespace"] = name.ns;
  metadata["uid"] = uid.data();
  metadata["creationTimestamp"] = kube::to_rfc3339(std::chrono::floor<std::chrono::seconds>(now_));
  metadata["generation"] = 1;
  if (served.status_subresource) object.erase("status");
  commit(call.store, name, std::move(object), call.actor);
  return answer(201, shown(*call.store.objects.at(name), call.request));
}

kube::Response ApiModel::patch(const Call& call) {
  const ServedResource& served = call.store.served;
  const std::string& name = call.target.object.name;
  if (call.request.content_type != "application/merge-patch+json") {
    return response_of({415,
                        "UnsupportedMediaType",
                        "the body of the request was in an unknown format - accepted media types include: "
                        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
                        {},
                        {},
                        {}});
  }
  const Json body = Json::parse(call.request.body, nullptr, false);
  if (!body.is_object()) return response_of(bad_request("error decoding patch"));
  const auto found = call.store.objects.find(call.target.object);
  if (found == call.store.objects.end()) return response_of(not_found(served.resource, name));
  const Json& before = *found->second;
  const std::string revision = member(body, "metadata", "resourceVersion");
  if (!revision.empty() && revision != member(before, "metadata", "resourceVersion")) {
    return response_of(modified(served.resource, name));
  }
  const std::string uid = member(body, "metadata", "uid");
  // The real server looks at it in a patch of the object itself only: with /status any UID passes.
  if (!uid.empty() && call.target.subresource.empty() && uid != member(before, "metadata", "uid")) {
    return response_of(invalid(served.resource, served.kind, name,
                               "metadata.uid: Invalid value: \"" + uid + "\": field is immutable"));
  }
  Json after = patched(before, body, served, call.target.subresource == "status");
  for (const UpdateRule& rule : served.rules) {
    if (const std::string why = rule(before, after); !why.empty()) {
      return response_of(invalid(served.resource, served.kind, name, "<nil>: Invalid value: " + why));
    }
  }
  if (after == before) return answer(200, shown(before, call.request));
  if (!same_content(before, after)) after["metadata"]["generation"] = before["metadata"].value("generation", 1) + 1;
  commit(call.store, call.target.object, std::move(after), call.actor);
  return answer(200, shown(*found->second, call.request));
}

kube::Response ApiModel::remove(const Call& call) {
  const kube::Resource& resource = call.target.resource;
  const std::string& name = call.target.object.name;
  const auto found = call.store.objects.find(call.target.object);
  if (found == call.store.objects.end()) return response_of(not_found(resource, name));
  const Json options = Json::parse(call.request.body, nullptr, false);
  const std::string uid = member(*found->second, "metadata", "uid");
  if (options.is_object()) {
    const std::string wanted_uid = member(options, "preconditions", "uid");
    if (!wanted_uid.empty() && wanted_uid != uid) {
      return response_of(conflict(
          resource, name, "Precondition failed: UID in precondition: " + wanted_uid + ", UID in object meta: " + uid));
    }
    const std::string revision = member(*found->second, "metadata", "resourceVersion");
    const std::string wanted_revision = member(options, "preconditions", "resourceVersion");
    if (!wanted_revision.empty() && wanted_revision != revision) {
      return response_of(conflict(resource, name,
                                  "Precondition failed: ResourceVersion in precondition: " + wanted_revision +
                                      ", ResourceVersion in object meta: " + revision));
    }
  }
  erase(call.store, call.target.object, call.actor);
  Json details{{"name", name}, {"kind", resource.plural}, {"uid", uid}};
  if (!resource.group.empty()) details["group"] = resource.group;
  return answer(200, {{"kind", "Status"},
                      {"apiVersion", "v1"},
                      {"metadata", Json::object()},
                      {"status", "Success"},
                      {"details", std::move(details)}});
}

void ApiModel::commit(Store& store, const kube::NamespacedName& name, Json after, const std::string& actor) {
  after["metadata"]["resourceVersion"] = std::to_string(++revision_);
  ObjectPtr& slot = store.objects[name];
  Commit made{store.served.resource,
              name,
              slot,
              std::make_shared<const Json>(std::move(after)),
              revision_,
              now_,
              actor,
              elapsed_};
  slot = made.after;
  publish(store, std::move(made));
}

void ApiModel::erase(Store& store, const kube::NamespacedName& name, const std::string& actor) {
  const auto found = store.objects.find(name);
  // The DELETED event shows the last state under the revision of the deletion.
  Json last = *found->second;
  last["metadata"]["resourceVersion"] = std::to_string(++revision_);
  Commit made{store.served.resource,
              name,
              std::make_shared<const Json>(std::move(last)),
              nullptr,
              revision_,
              now_,
              actor,
              elapsed_};
  store.objects.erase(found);
  publish(store, std::move(made));
}

void ApiModel::publish(Store& store, Commit commit) {
  store.log.push_back(std::move(commit));
  // By index: an observer may write in turn, and the log may move.
  const Commit made = store.log.back();
  for (const auto& observer : observers_) observer(made);
}

int ApiModel::collect_garbage() {
  std::set<std::string> uids;
  for (const auto& [resource, store] : stores_) {
    for (const auto& [name, object] : store.objects) uids.insert(member(*object, "metadata", "uid"));
  }
  int deleted = 0;
  for (auto& [resource, store] : stores_) {
    std::vector<kube::NamespacedName> orphans;
    for (const auto& [name, object] : store.objects) {
      const auto owners = (*object)["metadata"].find("ownerReferences");
      if (owners == (*object)["metadata"].end() || owners->empty()) continue;
      bool owned = false;
      for (const Json& owner : *owners) owned = owned || uids.contains(owner.value("uid", ""));
      if (!owned) orphans.push_back(name);
    }
    for (const kube::NamespacedName& name : orphans) erase(store, name, "garbage-collector");
    deleted += static_cast<int>(orphans.size());
  }
  return deleted;
}

void ApiModel::compact(std::uint64_t revision) {
  compacted_ = std::max(compacted_, revision);
  pages_.clear();
}

std::vector<ObjectPtr> ApiModel::objects(const kube::Resource& resource) const {
  std::vector<ObjectPtr> objects;
  const auto store = stores_.find(resource);
  if (store == stores_.end()) return objects;
  for (const auto& [name, object] : store->second.objects) objects.push_back(object);
  return objects;
}

ObjectPtr ApiModel::find(const kube::Resource& resource, const kube::NamespacedName& object) const {
  const auto store = stores_.find(resource);
  if (store == stores_.end()) return nullptr;
  const auto found = store->second.objects.find(object);
  return found == store->second.objects.end() ? nullptr : found->second;
}

const std::vector<Commit>& ApiModel::log(const kube::Resource& resource) const {
  static const std::vector<Commit> empty;
  const auto store = stores_.find(resource);
  return store == stores_.end() ? empty : store->second.log;
}

}  // namespace konductor::sim
