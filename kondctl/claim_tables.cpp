#include "kondctl/claim_tables.hpp"

#include "kondctl/table.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;

constexpr std::size_t longest_holder = 60;
constexpr std::size_t longest_reason = 200;

std::string units_title(const runtime::KindDeclaration& kind) {
  std::string title = kind.units_field.empty() ? "UNITS" : kind.units_field;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : static_cast<char>(c);
  });
  return title;
}

}  // namespace

ShownClaims sorted_claims(std::vector<json> objects, const runtime::KindDeclaration& kind,
                          const std::string& primitive) {
  ShownClaims claims;
  for (json& object : objects) {
    auto view = view_of_claim(object, kind);
    if (!view || view->claim.primitive.name != primitive || runtime::is_terminal(view->claim.phase)) continue;
    auto& group = runtime::holds(view->claim.phase) ? claims.holding : claims.waiting;
    group.push_back({std::move(*view), std::make_shared<const json>(std::move(object))});
  }
  std::sort(claims.holding.begin(), claims.holding.end(), [](const ShownClaim& left, const ShownClaim& right) {
    return left.view.claim.token < right.view.claim.token;
  });
  std::sort(claims.waiting.begin(), claims.waiting.end(), [](const ShownClaim& left, const ShownClaim& right) {
    return runtime::served_before(left.view.claim, right.view.claim);
  });
  return claims;
}

std::string holders_of(const ShownClaims& claims, const runtime::KindDeclaration& kind, kube::WallTime now) {
  if (claims.holding.empty()) return "nobody holds it\n";
  std::vector<Row> rows{{"HELD BY", "CLAIM", units_title(kind), "SINCE", "TTL", "TOKEN", ""}};
  for (const ShownClaim& shown : claims.holding) {
    const runtime::Claim& claim = shown.view.claim;
    rows.push_back({kube::one_line(claim.holder, longest_holder), claim.name.name, std::to_string(claim.held_units),
                    age(claim.granted_at, now),
                    claim.granted_ttl > 0 ? kube::to_string(kube::Duration{claim.granted_ttl}) : "",
                    std::to_string(claim.token),
                    claim.phase == runtime::Phase::granted ? "" : std::string(to_string(claim.phase))});
  }
  return render_table(rows);
}

std::string queue_of(const ShownClaims& claims, const runtime::KindDeclaration& kind, kube::WallTime now) {
  if (claims.waiting.empty()) return "nobody waits\n";
  std::vector<Row> rows{{"WAITING", "PLACE", "CLAIM", units_title(kind), "PRIORITY", "AGE", "WHY"}};
  std::size_t place = 0;
  for (const ShownClaim& shown : claims.waiting) {
    const runtime::Claim& claim = shown.view.claim;
    const std::string& why = shown.view.message.empty() ? claim.reason : shown.view.message;
    // It is passed over: who stands behind it comes first.
    const bool in_line = claim.reason != runtime::exceeds_limit;
    rows.push_back({kube::one_line(claim.holder, longest_holder), in_line ? std::to_string(++place) : "-",
                    claim.name.name, std::to_string(claim.units), std::to_string(claim.priority),
                    age(text_at(*shown.object, "metadata.creationTimestamp"), now),
                    shown.view.answered ? kube::one_line(why, longest_reason) : "no operator has answered yet"});
  }
  return render_table(rows);
}

std::string first_holders_of(const json& primitive, const runtime::KindDeclaration& kind, kube::WallTime now) {
  const json* holders = kube::find_path(primitive, "status.holders");
  if (holders == nullptr || !holders->is_array()) return {};
  if (holders->empty()) return "nobody holds it\n";
  std::vector<Row> rows{{"HELD BY", "CLAIM", units_title(kind), "SINCE"}};
  for (const json& one : *holders) {
    const std::string since = text_at(one, "since");
    rows.push_back({kube::one_line(text_at(one, "holder"), longest_holder), text_at(one, "name"),
                    std::to_string(kube::integer_at(one, "units").value_or(1)),
                    since.empty() ? std::string{} : age(since, now)});
  }
  return render_table(rows);
}

}  // namespace konductor::kondctl
