#include "kondctl/actions/actions.hpp"
#include "kondctl/claim_codec.hpp"
#include "kondctl/table.hpp"
#include "kube/text.hpp"
#include "kube/time.hpp"
#include "runtime/json_path.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace konductor::kondctl {

namespace {

using nlohmann::json;
using runtime::text_at;

constexpr runtime::Duration patience = std::chrono::seconds{10};

// The claims of one primitive, in the order in which people ask for them.
struct Claims {
  std::vector<std::pair<ClaimView, json>> holding;  // by token: in the order of their grants
  std::vector<std::pair<ClaimView, json>> waiting;  // in the order in which they are served
};

Claims sorted_claims(std::vector<json> objects, const runtime::KindDeclaration& kind, const std::string& primitive) {
  Claims claims;
  for (json& object : objects) {
    auto view = view_of_claim(object, kind);
    if (!view || view->claim.primitive.name != primitive || runtime::is_terminal(view->claim.phase)) continue;
    auto& group = runtime::holds(view->claim.phase) ? claims.holding : claims.waiting;
    group.emplace_back(std::move(*view), std::move(object));
  }
  std::sort(claims.holding.begin(), claims.holding.end(),
            [](const auto& left, const auto& right) { return left.first.claim.token < right.first.claim.token; });
  std::sort(claims.waiting.begin(), claims.waiting.end(), [](const auto& left, const auto& right) {
    return runtime::served_before(left.first.claim, right.first.claim);
  });
  return claims;
}

std::string facts_of(const json& object, const runtime::KindDeclaration& kind, kube::WallTime now) {
  std::vector<Row> rows;
  for (const runtime::ColumnDeclaration& column : kind.columns) {
    if (column.place != runtime::Place::primitive) continue;
    const std::string value = cell(object, column, now);
    if (!value.empty()) rows.push_back({"  " + column.name, value});
  }
  const json* conditions = runtime::find_path(object, "status.conditions");
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

std::string units_title(const runtime::KindDeclaration& kind) {
  std::string title = kind.units_field.empty() ? "UNITS" : kind.units_field;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : static_cast<char>(c);
  });
  return title;
}

std::string holders_of(const Claims& claims, const runtime::KindDeclaration& kind, kube::WallTime now) {
  if (claims.holding.empty()) return "nobody holds it\n";
  std::vector<Row> rows{{"HELD BY", "CLAIM", units_title(kind), "SINCE", "TTL", "TOKEN", ""}};
  for (const auto& [view, object] : claims.holding) {
    const runtime::Claim& claim = view.claim;
    rows.push_back({kube::one_line(claim.holder, 60), claim.name.name, std::to_string(claim.held_units),
                    age(claim.granted_at, now),
                    claim.granted_ttl > 0 ? kube::to_string(kube::Duration{claim.granted_ttl}) : "",
                    std::to_string(claim.token),
                    claim.phase == runtime::Phase::granted ? "" : std::string(to_string(claim.phase))});
  }
  return render_table(rows);
}

std::string queue_of(const Claims& claims, const runtime::KindDeclaration& kind, kube::WallTime now) {
  if (claims.waiting.empty()) return "nobody waits\n";
  std::vector<Row> rows{{"WAITING", "CLAIM", units_title(kind), "PRIORITY", "AGE", "WHY"}};
  for (const auto& [view, object] : claims.waiting) {
    const runtime::Claim& claim = view.claim;
    const std::string why = view.message.empty() ? claim.reason : view.message;
    rows.push_back({kube::one_line(claim.holder, 60), claim.name.name, std::to_string(claim.units),
                    std::to_string(claim.priority), age(text_at(object, "metadata.creationTimestamp"), now),
                    view.answered ? kube::one_line(why, 200) : "no operator has answered yet"});
  }
  return render_table(rows);
}

json objects_of(std::vector<std::pair<ClaimView, json>>& claims) {
  json objects = json::array();
  for (auto& [view, object] : claims) objects.push_back(std::move(object));
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
  Claims claims;
  bool claims_known = false;
  if (!kind.claim.plural.empty()) {
    auto listed = session.list(kind.claim_resource(), name.ns, "spec." + kind.primitive_field + "=" + name.name, until);
    // Workloads may look at primitives and at their own claim, and need not see those of others.
    if (!listed && listed.error().code != Errc::forbidden) return report(session.console, listed.error());
    if (!listed) session.console.note("holders and waiters can't be shown: " + listed.error().detail);
    claims_known = listed.has_value();
    if (listed) claims = sorted_claims(std::move(*listed), kind, name.name);
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
  if (claims_known) text += "\n" + holders_of(claims, kind, now) + "\n" + queue_of(claims, kind, now);
  session.console.print(text);
  return ExitCode::done;
}

}  // namespace konductor::kondctl
