#include "runtime/observed_view.hpp"

#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
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
  const auto found = wants_.find(primitive);
  if (found == wants_.end() ? wanted.empty() : found->second == wanted) return false;
  for (const auto& one : wanted) follow(primitive, one.target);
  std::swap(wants_[primitive], wanted);
  release(primitive, wanted);
  if (needs.empty()) wants_.erase(primitive);
  return true;
}

void ObservedView::forget(const kube::NamespacedName& primitive) {
  if (const auto node = wants_.extract(primitive)) release(primitive, node.mapped());
}

void ObservedView::follow(const kube::NamespacedName& primitive, const WatchTarget& target) {
  if (!watched_.contains(target) && watched_.size() >= most_targets_) {
    left_out_.emplace(target, primitive);
    return;
  }
  watched_[target].wanted_by.insert(primitive);
  targets_.insert(target);
}

/// Of what it wanted, ends what it no longer wants.
void ObservedView::release(const kube::NamespacedName& primitive, const std::vector<Wanted>& wanted) {
  const auto still = wants_.find(primitive);
  const auto is_kept = [&](const WatchTarget& target) {
    return still != wants_.end() &&
           std::ranges::any_of(still->second, [&](const Wanted& other) { return other.target == target; });
  };
  for (const auto& one : wanted) {
    if (is_kept(one.target)) continue;
    left_out_.erase({one.target, primitive});
    const auto found = watched_.find(one.target);
    if (found == watched_.end()) continue;
    found->second.wanted_by.erase(primitive);
    if (!found->second.wanted_by.empty()) continue;
    watched_.erase(found);
    targets_.erase(one.target);
  }
  while (!left_out_.empty() && watched_.size() < most_targets_) {
    const auto next = left_out_.extract(left_out_.begin());
    follow(next.value().second, next.value().first);
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

ObservedState ObservedView::state_of(const WatchTarget& target) const {
  const auto found = watched_.find(target);
  if (found == watched_.end()) return ObservedState::too_many;
  const auto& watched = found->second;
  if (watched.trouble != ObservedState::present) return watched.trouble;
  if (!watched.synced) return ObservedState::unsynced;
  if (watched.objects.empty()) return ObservedState::absent;
  return watched.objects.size() > most_objects ? ObservedState::too_many : ObservedState::present;
}

std::vector<ObservedObject> ObservedView::shown_to(const kube::NamespacedName& primitive) const {
  std::vector<ObservedObject> shown;
  const auto found = wants_.find(primitive);
  if (found == wants_.end()) return shown;
  for (const auto& [id, target] : found->second) {
    const auto state = state_of(target);
    if (state != ObservedState::present) {
      shown.push_back({state, id, target.object_name, {}, {}});
      continue;
    }
    for (const auto& [name, object] : watched_.at(target).objects)
      shown.push_back({ObservedState::present, id, name, object.uid, object.json});
  }
  return shown;
}

bool ObservedView::is_unanswered(const kube::NamespacedName& primitive) const {
  const auto found = wants_.find(primitive);
  return found != wants_.end() && std::ranges::any_of(found->second, [this](const Wanted& one) {
           return state_of(one.target) == ObservedState::unsynced;
         });
}

}  // namespace konductor::runtime
