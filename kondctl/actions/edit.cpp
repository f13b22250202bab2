#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/primitive_edit.hpp"
#include "kondctl/primitive_tables.hpp"
#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

constexpr runtime::Duration patience = std::chrono::seconds{10};

std::string subject(const Session& session) {
  return session.invocation.kind->names.singular + " " +
         kube::to_string(kube::NamespacedName{session.ns(), session.invocation.name});
}

std::string resource_text(const Session& session) {
  return to_string(session.invocation.kind->primitive_resource()) + " " +
         kube::to_string(kube::NamespacedName{session.ns(), session.invocation.name});
}

void print(Session& session, const json& object, const std::string& sentence) {
  const Format format = session.invocation.global.output;
  if (format == Format::json || format == Format::yaml) {
    session.console.print(to_text(presentable(object), format));
  } else if (format == Format::name) {
    session.console.print(resource_line(session.invocation.kind->names.singular, session.invocation.name));
  } else {
    session.console.print(sentence + "\n");
  }
}

std::string with_fields(const std::string& text, const Session& session) {
  const std::string fields = described(session.invocation.fields);
  return fields.empty() ? text : text + ": " + fields;
}

std::string finalizers_of(const nlohmann::json& object) {
  const auto* names = kube::find_path(object, "metadata.finalizers");
  std::string text;
  if (names == nullptr || !names->is_array()) return text;
  for (const auto& name : *names)
    text += (text.empty() ? "" : ", ") + (name.is_string() ? name.get<std::string>() : "?");
  return text;
}

}  // namespace

ExitCode create(Session& session) {
  const Invocation& invocation = session.invocation;
  const json object = compose_primitive(*invocation.kind, invocation.name, invocation.fields);
  const auto made = session.ask(kube::create(invocation.kind->primitive_resource(), session.ns(), object),
                                "create " + resource_text(session), session.started + patience);
  if (!made) return report(session.console, made.error());
  print(session, *made, with_fields("created " + subject(session), session));
  return ExitCode::done;
}

ExitCode set(Session& session) {
  const Invocation& invocation = session.invocation;
  const kube::NamespacedName name{session.ns(), invocation.name};
  const auto changed =
      session.ask(kube::merge_patch(invocation.kind->primitive_resource(), name, compose_change(invocation.fields)),
                  "patch " + resource_text(session), session.started + patience);
  if (!changed) return report(session.console, changed.error());
  print(session, *changed, with_fields("set " + subject(session), session));
  return ExitCode::done;
}

ExitCode remove(Session& session) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const kube::NamespacedName name{session.ns(), session.invocation.name};
  const runtime::MonoTime until = session.started + patience;
  while (true) {
    const auto object = session.ask(kube::get(kind.primitive_resource(), name), "get " + resource_text(session), until);
    if (!object) return report(session.console, object.error());
    const kube::Preconditions same{kube::text_at(*object, "metadata.uid"), {}};
    const auto gone = session.ask(kube::delete_object(kind.primitive_resource(), name, same),
                                  "delete " + resource_text(session), until);
    // Another one of its name came in between: that one is meant by its name too.
    if (!gone && gone.error().code == Errc::conflict && io::mono_now() < until) continue;
    // An answer that was lost, or somebody else: it is gone.
    if (!gone && gone.error().code != Errc::not_found) return report(session.console, gone.error());
    const bool stays = gone && !kube::text_at(*gone, "metadata.deletionTimestamp").empty();
    print(session, stays ? *gone : *object,
          (stays ? "deleting " : "deleted ") + subject(session) +
              (stays ? ": it stays until its finalizers are done (" + finalizers_of(*gone) + ")" : std::string{}));
    return ExitCode::done;
  }
}

}  // namespace konductor::kondctl
