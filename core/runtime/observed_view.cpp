#include "runtime/observed_view.hpp"

#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::runtime {
namespace {

using nlohmann::json;

WatchTarget target_of(const Need& need, const std::string& primitive_ns) {
  return {{need.group, need.version, need.plural},
          need.ns.empty() ? primitive_ns : need.ns,
          need.object_name,
          need.label_selector,
          need.fields};
}

std::string projection(const json& object, const std::vector<std::string>& fields) {
  json kept = json::object();
  for (const auto& field : fields)
    if (const json* value = kube::find_path(object, field)) kept[field] = *value;
  return kept.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

bool ObservedView::want(const kube::NamespacedName& primitive, const std::vector<Need>& needs) {
  std::vector<Wanted> wanted;
  wanted.reserve(needs.size());
  for (const auto& need : needs) wanted.push_back({need.id, target_of(need, primitive.ns)});
  auto& known = wants_[primitive];
  const bool changed = known != wanted;
  if (changed) {
    for (const auto& one : wanted) {
      const auto found = watched_.find(one.target);
      if (found == watched_.end() && watched_.size() >= most_targets) continue;
      watched_[one.target].wanted_by.insert(primitive);
      targets_.insert(one.target);
    }
    std::swap(known, wanted);
    release(primitive, wanted);
  }
  if (known.empty()) wants_.erase(primitive);
  return changed;
}

void ObservedView::forget(const kube::NamespacedName& primitive) {
  if (auto node = wants_.extract(primitive)) release(primitive, node.mapped());
}

void ObservedView::release(const kube::NamespacedName& primitive, const std::vector<Wanted>& wanted) {
  const auto still = wants_.find(primitive);
  for (const auto& one : wanted) {
    bool kept = false;
    if (still != wants_.end())
      for (const auto& other : still->second) kept = kept || other.target == one.target;
    const auto found = watched_.find(one.target);
    if (kept || found == watched_.end()) continue;
    found->second.wanted_by.erase(primitive);
    if (!found->second.wanted_by.empty()) continue;
    watched_.erase(found);
    targets_.erase(one.target);
  }
}

std::vector<kube::NamespacedName> ObservedView::on_event(const WatchTarget& target, const ViewEvent& event) {
  const auto found = watched_.find(target);
  if (found == watched_.end() || !apply(found->second, target, event)) return {};
  return {found->second.wanted_by.begin(), found->second.wanted_by.end()};
}

/// True: decisions would see something else.
bool ObservedView::apply(Watched& watched, const WatchTarget& target, const ViewEvent& event) {
  switch (event.kind) {
    case ViewEvent::Kind::begin:
      watched.listing = true;
      watched.listed.clear();
      return false;
    case ViewEvent::Kind::apply: {
      auto& objects = watched.listing ? watched.listed : watched.objects;
      Object object{kube::text_at(*event.object, "metadata.uid"), projection(*event.object, target.fields)};
      auto& known = objects[kube::text_at(*event.object, "metadata.name")];
      if (known == object) return false;
      known = std::move(object);
      return !watched.listing;
    }
    case ViewEvent::Kind::remove: return watched.objects.erase(kube::text_at(*event.object, "metadata.name")) > 0;
    case ViewEvent::Kind::synced: {
      const bool same =
          watched.synced && watched.trouble == ObservedState::present && watched.objects == watched.listed;
      watched.objects = std::exchange(watched.listed, {});
      watched.listing = false;
      watched.synced = true;
      watched.trouble = ObservedState::present;
      return !same;
    }
    case ViewEvent::Kind::failed: {
      // A server that is away for a while changes nothing; one that will not show it must not leave an old view.
      if (event.code != Errc::forbidden && event.code != Errc::not_installed) return false;
      const auto trouble = event.code == Errc::forbidden ? ObservedState::forbidden : ObservedState::not_installed;
      return std::exchange(watched.trouble, trouble) != trouble;
    }
    case ViewEvent::Kind::progress: break;
  }
  return false;
}

std::vector<ObservedObject> ObservedView::shown_to(const kube::NamespacedName& primitive) const {
  std::vector<ObservedObject> shown;
  const auto found = wants_.find(primitive);
  if (found == wants_.end()) return shown;
  for (const auto& [id, target] : found->second) {
    const auto at = watched_.find(target);
    auto state = ObservedState::unsynced;
    if (at != watched_.end() && at->second.trouble != ObservedState::present) {
      state = at->second.trouble;
    } else if (at != watched_.end() && at->second.synced) {
      state = at->second.objects.empty()                 ? ObservedState::absent
              : at->second.objects.size() > most_objects ? ObservedState::too_many
                                                         : ObservedState::present;
    }
    if (state != ObservedState::present) {
      shown.push_back({state, id, target.object_name, {}, {}});
      continue;
    }
    for (const auto& [name, object] : at->second.objects)
      shown.push_back({ObservedState::present, id, name, object.uid, object.json});
  }
  return shown;
}

}  // namespace konductor::runtime
