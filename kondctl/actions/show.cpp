#include "kondctl/actions/actions.hpp"
#include "kondctl/claim_order.hpp"
#include "kondctl/claim_tables.hpp"
#include "kondctl/primitive_tables.hpp"
#include "kondctl/table.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;

constexpr runtime::Duration patience = std::chrono::seconds{10};

std::string facts_of(const json& object, const runtime::KindDeclaration& kind, bool colours, kube::WallTime now) {
  std::vector<Row> rows;
  Tints tints;
  for (const runtime::ColumnDeclaration& column : kind.columns) {
    if (column.place != runtime::Place::primitive) continue;
    const std::string value = cell(object, column, now);
    if (value.empty()) continue;
    if (colours && column.json_path == phase_path) tints[{rows.size(), 1}] = colour_of(object, kind);
    rows.push_back({"  " + column.name, value});
  }
  const json* conditions = kube::find_path(object, "status.conditions");
  if (conditions != nullptr && conditions->is_array()) {
    for (const json& one : *conditions) {
      rows.push_back({"  " + text_at(one, "type"), text_at(one, "status"),
                      kube::one_line(text_at(one, "reason") + " " + text_at(one, "message"), 300)});
    }
  } else {
    rows.push_back({"  no operator has looked at it yet"});
  }
  return render_table(rows, tints);
}

// What those see who may look at primitives and at their own claim, and not at those of others.
std::string hidden(const runtime::KindDeclaration& kind, const Error& error) {
  const std::string what = kind.mode == runtime::Mode::granted
                               ? "the full lists of holders and waiters can't be shown, only counts and the first "
                                 "holders: "
                               : "who has joined can't be shown, only counts: ";
  return what + error.detail;
}

/// The claims of the shown object; nothing where they are not known.
struct Claims {
  std::optional<ShownClaims> granted;
  std::optional<std::vector<ShownClaim>> counted;
};

json objects_of(const std::vector<ShownClaim>& claims) {
  json objects = json::array();
  for (const ShownClaim& claim : claims) objects.push_back(presentable(*claim.object));
  return objects;
}

Result<Claims> claims_of(Session& session, const json& object, runtime::MonoTime until) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  Claims claims;
  if (kind.claim.plural.empty()) return claims;
  const std::string& name = session.invocation.name;
  auto listed = session.list(kind.claim_resource(), session.ns(), "spec." + kind.primitive_field + "=" + name, until);
  if (!listed && listed.error().code != Errc::forbidden) return listed.error();
  if (!listed) {
    session.console.note(hidden(kind, listed.error()));
  } else if (kind.mode == runtime::Mode::counted) {
    claims.counted = counted_claims(std::move(*listed), kind, object);
  } else {
    claims.granted = sorted_claims(std::move(*listed), kind, name);
    order_as_decided(*claims.granted, kind, object, session.client->server_now());
  }
  return claims;
}

json as_json(const json& object, const Claims& claims) {
  json shown = {{"object", presentable(object)}};
  if (claims.granted) {
    shown["holding"] = objects_of(claims.granted->holding);
    shown["waiting"] = objects_of(claims.granted->waiting);
  }
  if (claims.counted) shown["claims"] = objects_of(*claims.counted);
  return shown;
}

std::string as_text(const json& object, const Claims& claims, const runtime::KindDeclaration& kind,
                    kube::WallTime now) {
  if (claims.granted)
    return "\n" + holders_of(*claims.granted, kind, now) + "\n" + queue_of(*claims.granted, kind, now);
  if (claims.counted) return "\n" + table_of(*claims.counted, kind, object, now);
  const std::string first = first_holders_of(object, kind, now);
  return first.empty() ? first : "\n" + first;
}

}  // namespace

ExitCode show(Session& session) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const kube::NamespacedName name{session.ns(), session.invocation.name};
  const runtime::MonoTime until = session.started + patience;
  const std::string doing = "get " + to_string(kind.primitive_resource()) + " " + kube::to_string(name);
  const auto object = session.ask(kube::get(kind.primitive_resource(), name), doing, until);
  if (!object) return report(session.console, object.error());
  const Format format = session.invocation.global.output;
  if (format == Format::name) {
    session.console.print(resource_line(kind.names.singular, name.name));
    return ExitCode::done;
  }
  const auto claims = claims_of(session, *object, until);
  if (!claims) return report(session.console, claims.error());
  if (format == Format::json || format == Format::yaml) {
    session.console.print(to_text(as_json(*object, *claims), format));
    return ExitCode::done;
  }
  const kube::WallTime now = session.client->server_now();
  session.console.print(kind.names.singular + " " + kube::to_string(name) + "\n" +
                        facts_of(*object, kind, session.invocation.global.colours, now) +
                        as_text(*object, *claims, kind, now));
  return ExitCode::done;
}

}  // namespace konductor::kondctl
