#include "kondctl/actions/actions.hpp"
#include "kondctl/actions/follow.hpp"
#include "kondctl/actions/following.hpp"
#include "kondctl/primitive_tables.hpp"
#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;
using runtime::ViewEvent;

std::string key_of(const json& object) {
  return text_at(object, "metadata.namespace") + "/" + text_at(object, "metadata.name");
}

/// The objects of one kind, and which of them have been printed.
class FollowedKind {
 public:
  /// `last` is whose rows were printed last, of all kinds.
  FollowedKind(Session& session, const runtime::KindDeclaration& kind, bool with_kind,
               const runtime::KindDeclaration*& last)
      : session_(session),
        kind_(kind),
        last_(last),
        table_(kind, {session.invocation.global.output == Format::wide, session.invocation.all_namespaces, with_kind,
                      session.invocation.global.colours}) {}

  void hear(const ViewEvent& event) {
    switch (event.kind) {
      case ViewEvent::Kind::begin: listed_.clear(); break;
      case ViewEvent::Kind::apply: apply(event.object); break;
      case ViewEvent::Kind::remove: remove(key_of(*event.object)); break;
      case ViewEvent::Kind::synced: synced(); break;
      default: break;
    }
  }

 private:
  void apply(const std::shared_ptr<const json>& object) {
    const std::string key = key_of(*object);
    listed_.insert(key);
    const auto known = known_.find(key);
    const bool same = known != known_.end() && text_at(*known->second, "metadata.resourceVersion") ==
                                                   text_at(*object, "metadata.resourceVersion");
    if (known != known_.end() && text_at(*known->second, "metadata.uid") != text_at(*object, "metadata.uid"))
      remove(key);
    known_[key] = object;
    if (!same && synced_) print({*object}, {});
  }

  void remove(const std::string& key) {
    const auto known = known_.find(key);
    if (known == known_.end()) return;
    print({*known->second}, "deleted");
    known_.erase(known);
  }

  // Whatever was not listed again has gone meanwhile.
  void synced() {
    std::vector<std::string> gone;
    for (const auto& [key, object] : known_) {
      if (!listed_.contains(key)) gone.push_back(key);
    }
    for (const std::string& key : gone) remove(key);
    if (synced_) return;
    synced_ = true;
    std::vector<json> all;
    all.reserve(known_.size());
    for (const auto& [key, object] : known_) all.push_back(*object);
    if (!all.empty()) print(all, {});
  }

  void print(const std::vector<json>& objects, const std::string& remark) {
    const Format format = session_.invocation.global.output;
    if (format == Format::table || format == Format::wide) {
      const runtime::KindDeclaration* before = std::exchange(last_, &kind_);
      const bool changed = before != &kind_;
      const std::string gap = changed && before != nullptr ? "\n" : "";
      const std::string rows = table_.rows(objects, remark, session_.client->server_now(), changed);
      return session_.console.print(gap + rows);
    }
    for (const json& object : objects) {
      if (format == Format::name) {
        session_.console.print(resource_line(kind_.names.singular, text_at(object, "metadata.name")));
      } else {
        session_.console.print((format == Format::yaml ? "---\n" : "") + to_text(presentable(object), format));
      }
    }
  }

  Session& session_;
  const runtime::KindDeclaration& kind_;
  const runtime::KindDeclaration*& last_;
  GrowingTable table_;
  std::map<std::string, std::shared_ptr<const json>> known_;
  std::set<std::string> listed_;  // since the last list began
  bool synced_ = false;
};

}  // namespace

ExitCode follow_lists(Session& session, std::span<const runtime::KindDeclaration* const> kinds, bool with_kind) {
  std::vector<Following::Source> sources;
  std::vector<FollowedKind> followed;
  followed.reserve(kinds.size());
  const runtime::KindDeclaration* last = nullptr;
  for (const runtime::KindDeclaration* kind : kinds) {
    sources.push_back(
        {kind->primitive_resource(), session.invocation.all_namespaces ? std::string{} : session.ns(), {}});
    followed.emplace_back(session, *kind, with_kind, last);
  }
  std::size_t left = sources.size();
  Following following(
      session, std::move(sources),
      [&followed](std::size_t source, const ViewEvent& event) { followed[source].hear(event); },
      [&session, &left](std::size_t, const Error& error) {
        report(session.console, error);
        return --left > 0;
      });
  return following.run();
}

}  // namespace konductor::kondctl
