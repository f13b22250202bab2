#include "kondctl/actions/actions.hpp"
#include "kondctl/actions/follow.hpp"
#include "kondctl/primitive_tables.hpp"
#include "kondctl/suggestion.hpp"
#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace konductor::kondctl {

namespace {

using nlohmann::json;
using runtime::KindDeclaration;

constexpr runtime::Duration patience = std::chrono::seconds{10};

struct Listed {
  const KindDeclaration* kind = nullptr;
  std::vector<json> objects;
};

void print(Session& session, std::vector<Listed> listed, bool with_kind) {
  const GlobalOptions& global = session.invocation.global;
  if (global.output == Format::json || global.output == Format::yaml) {
    std::vector<json> all;
    for (Listed& one : listed) std::move(one.objects.begin(), one.objects.end(), std::back_inserter(all));
    return session.console.print(to_text(as_list(all), global.output));
  }
  if (global.output == Format::name) {
    for (const Listed& one : listed) {
      for (const json& object : one.objects) {
        session.console.print(resource_line(one.kind->names.singular, kube::text_at(object, "metadata.name")));
      }
    }
    return;
  }
  const TableShape shape{global.output == Format::wide, session.invocation.all_namespaces, with_kind, global.colours};
  const kube::WallTime now = session.client->server_now();
  std::string text;
  for (const Listed& one : listed) {
    if (one.objects.empty()) continue;
    text += (text.empty() ? "" : "\n") + table_of_primitives(one.objects, *one.kind, shape, now);
  }
  session.console.print(text);
}

std::string none_of(const Session& session, std::span<const KindDeclaration* const> kinds) {
  std::vector<std::string> plurals;
  for (const KindDeclaration* kind : kinds) plurals.push_back(kind->names.plural);
  return "no " + joined(plurals) +
         (session.invocation.all_namespaces ? " in any namespace" : " in namespace " + session.ns());
}

// What could be read is shown, whatever else is refused.
ExitCode list_all(Session& session, std::span<const KindDeclaration* const> kinds, bool with_kind) {
  const std::string ns = session.invocation.all_namespaces ? std::string{} : session.ns();
  ExitCode code = ExitCode::done;
  std::vector<Listed> listed;
  bool empty = true;
  for (const KindDeclaration* kind : kinds) {
    auto objects = session.list(kind->primitive_resource(), ns, {}, session.started + patience);
    if (!objects) {
      const ExitCode failure = report(session.console, objects.error());
      if (code == ExitCode::done) code = failure;
      if (failure == ExitCode::unreachable || failure == ExitCode::interrupted) break;
      continue;
    }
    empty = empty && objects->empty();
    listed.push_back({kind, std::move(*objects)});
  }
  if (listed.empty()) return code;
  if (empty) session.console.note(none_of(session, kinds));
  print(session, std::move(listed), with_kind);
  return code;
}

}  // namespace

ExitCode list(Session& session) {
  const KindDeclaration* kind = session.invocation.kind;
  if (session.invocation.watch) return follow_lists(session, {&kind, 1}, false);
  return list_all(session, {&kind, 1}, false);
}

ExitCode overview(Session& session, std::span<const KindDeclaration> kinds) {
  if (kinds.empty()) {
    session.console.error("no plugin is loaded, so there is no kind to show: `kondctl plugin list` says why");
    return ExitCode::usage;
  }
  std::vector<const KindDeclaration*> all;
  all.reserve(kinds.size());
  for (const KindDeclaration& kind : kinds) all.push_back(&kind);
  return session.invocation.watch ? follow_lists(session, all, true) : list_all(session, all, true);
}

}  // namespace konductor::kondctl
