#include "kondctl/actions/actions.hpp"
#include "kondctl/claim_order.hpp"
#include "kondctl/claim_tables.hpp"
#include "kondctl/table.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <utility>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;

constexpr runtime::Duration patience = std::chrono::seconds{10};

std::string facts_of(const json& object, const runtime::KindDeclaration& kind, kube::WallTime now) {
  std::vector<Row> rows;
  for (const runtime::ColumnDeclaration& column : kind.columns) {
    if (column.place != runtime::Place::primitive) continue;
    const std::string value = cell(object, column, now);
    if (!value.empty()) rows.push_back({"  " + column.name, value});
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
  return render_table(rows);
}

json objects_of(const std::vector<ShownClaim>& claims) {
  json objects = json::array();
  for (const ShownClaim& claim : claims) objects.push_back(*claim.object);
  return objects;
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
    session.console.print(kind.names.singular + "." + runtime::api_group + "/" + name.name + "\n");
    return ExitCode::done;
  }
  ShownClaims claims;
  bool claims_known = false;
  if (!kind.claim.plural.empty()) {
    auto listed = session.list(kind.claim_resource(), name.ns, "spec." + kind.primitive_field + "=" + name.name, until);
    // Workloads may look at primitives and at their own claim, and need not see those of others.
    if (!listed && listed.error().code != Errc::forbidden) return report(session.console, listed.error());
    if (!listed) {
      session.console.note("the full lists of holders and waiters can't be shown, only counts and the first holders: " +
                           listed.error().detail);
    }
    claims_known = listed.has_value();
    if (listed) claims = sorted_claims(std::move(*listed), kind, name.name);
    order_as_decided(claims, kind, *object, session.client->server_now());
  }
  if (format == Format::json || format == Format::yaml) {
    json shown = {{"object", *object}};
    if (claims_known) {
      shown["holding"] = objects_of(claims.holding);
      shown["waiting"] = objects_of(claims.waiting);
    }
    session.console.print(to_text(shown, format));
    return ExitCode::done;
  }
  const kube::WallTime now = session.client->server_now();
  std::string text = kind.names.singular + " " + kube::to_string(name) + "\n" + facts_of(*object, kind, now);
  if (claims_known) {
    text += "\n" + holders_of(claims, kind, now) + "\n" + queue_of(claims, kind, now);
  } else if (const std::string first = first_holders_of(*object, kind, now); !first.empty()) {
    text += "\n" + first;
  }
  session.console.print(text);
  return ExitCode::done;
}

}  // namespace konductor::kondctl
