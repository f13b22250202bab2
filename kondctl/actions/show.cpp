#include "kondctl/actions/actions.hpp"
#include "kondctl/actions/follow.hpp"
#include "kondctl/actions/showing.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <utility>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

constexpr runtime::Duration patience = std::chrono::seconds{10};

Result<ObjectClaims> listed_claims(Session& session, const json& object, runtime::MonoTime until) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  if (kind.claim.plural.empty()) return ObjectClaims{};
  const std::string selector = "spec." + kind.primitive_field + "=" + session.invocation.name;
  auto listed = session.list(kind.claim_resource(), session.ns(), selector, until);
  if (listed) return claims_of(std::move(*listed), kind, object, session.client->server_now());
  if (listed.error().code != Errc::forbidden) return listed.error();
  session.console.note(hidden(kind, listed.error()));
  return ObjectClaims{};
}

}  // namespace

ExitCode show(Session& session) {
  if (session.invocation.watch) return follow_object(session);
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const kube::NamespacedName name{session.ns(), session.invocation.name};
  const runtime::MonoTime until = session.started + patience;
  const std::string doing = "get " + to_string(kind.primitive_resource()) + " " + kube::to_string(name);
  const auto object = session.ask(kube::get(kind.primitive_resource(), name), doing, until);
  if (!object) return report(session.console, object.error());
  const GlobalOptions& options = session.invocation.global;
  if (options.output == Format::name) {
    session.console.print(resource_line(kind.names.singular, name.name));
    return ExitCode::done;
  }
  const auto claims = listed_claims(session, *object, until);
  if (!claims) return report(session.console, claims.error());
  session.console.print(shown(*object, *claims, kind, options, session.client->server_now()));
  return ExitCode::done;
}

}  // namespace konductor::kondctl
