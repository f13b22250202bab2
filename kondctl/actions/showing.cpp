#include "kondctl/actions/showing.hpp"

#include "kondctl/actions/actions.hpp"
#include "kondctl/claim_order.hpp"
#include "kondctl/primitive_tables.hpp"
#include "kondctl/table.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;

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
  }
  const bool seen = conditions != nullptr && conditions->is_array();
  return render_table(rows, tints) + (seen ? "" : "  no operator has looked at it yet\n");
}

json objects_of(const std::vector<ShownClaim>& claims) {
  json objects = json::array();
  for (const ShownClaim& claim : claims) objects.push_back(presentable(*claim.object));
  return objects;
}

json as_json(const json& object, const ObjectClaims& claims, const runtime::KindDeclaration& kind) {
  json shown = {{"object", presentable(object)}};
  if (claims.granted) {
    shown["holding"] = objects_of(claims.granted->holding);
    shown["waiting"] = objects_of(claims.granted->waiting);
  }
  if (claims.counted) shown["claims"] = objects_of(*claims.counted);
  // Else it would look as if there were none.
  if (!claims.granted && !claims.counted && !kind.claim.plural.empty()) shown["claimsHidden"] = true;
  return shown;
}

std::string as_text(const json& object, const ObjectClaims& claims, const runtime::KindDeclaration& kind,
                    kube::WallTime now) {
  if (claims.granted)
    return "\n" + holders_of(*claims.granted, kind, now) + "\n" + queue_of(*claims.granted, kind, now);
  if (claims.counted) return "\n" + table_of(*claims.counted, kind, object, now);
  const std::string first = first_holders_of(object, kind, now);
  return first.empty() ? first : "\n" + first;
}

}  // namespace

ObjectClaims claims_of(std::vector<json> listed, const runtime::KindDeclaration& kind, const json& object,
                       kube::WallTime now) {
  ObjectClaims claims;
  if (kind.mode == runtime::Mode::counted) {
    claims.counted = counted_claims(std::move(listed), kind, object);
  } else {
    claims.granted = sorted_claims(std::move(listed), kind, text_at(object, "metadata.name"));
    order_as_decided(*claims.granted, kind, object, now);
  }
  return claims;
}

std::string hidden(const runtime::KindDeclaration& kind, const Error& error) {
  const std::string what = kind.mode == runtime::Mode::granted
                               ? "the full lists of holders and waiters can't be shown, only counts and the first "
                                 "holders: "
                               : "who has joined can't be shown, only counts: ";
  return what + error.detail;
}

std::string shown(const json& object, const ObjectClaims& claims, const runtime::KindDeclaration& kind,
                  const GlobalOptions& options, kube::WallTime now) {
  if (options.output == Format::json || options.output == Format::yaml) {
    return to_text(as_json(object, claims, kind), options.output);
  }
  const kube::NamespacedName name{text_at(object, "metadata.namespace"), text_at(object, "metadata.name")};
  return kind.names.singular + " " + kube::visible(kube::to_string(name)) + "\n" +
         facts_of(object, kind, options.colours, now) + as_text(object, claims, kind, now);
}

}  // namespace konductor::kondctl
