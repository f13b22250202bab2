#include "kondctl/claim_tables.hpp"

#include "kondctl/table.hpp"
#include "kondctl/wait_verdict.hpp"
#include "kube/json_fields.hpp"
#include "kube/object_meta.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

namespace konductor::kondctl {

namespace {

using kube::text_at;
using nlohmann::json;

constexpr std::size_t longest_holder = 60;
constexpr std::size_t longest_reason = 200;

std::string title_of(const std::string& field) {
  std::string title = field;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : static_cast<char>(c);
  });
  return title;
}

std::string units_title(const runtime::KindDeclaration& kind) {
  return kind.units_field.empty() ? "UNITS" : title_of(kind.units_field);
}

std::int64_t round_of(const json& claim, const runtime::KindDeclaration& kind) {
  return kube::integer_at(claim, "spec." + kind.wait.round_field).value_or(0);
}

// What is to be known of a counted claim beyond that it is there.
std::string remark_on(const ShownClaim& shown, const runtime::KindDeclaration& kind) {
  const runtime::Claim& claim = shown.view.claim;
  if (runtime::is_terminal(claim.phase)) {
    const std::string& why = shown.view.message.empty() ? claim.reason : shown.view.message;
    return kube::one_line(std::string(to_string(claim.phase)) + (why.empty() ? "" : ": " + why), longest_reason);
  }
  const std::string doubt = doubt_of(*shown.object);
  if (!doubt.empty()) return kube::one_line(doubt, longest_reason);
  const bool unknown = !kind.participant_field.empty() && claim.participant.empty();
  return unknown ? "the operator has not found out yet who this is" : "";
}

// When its TTL is over unless it is renewed before. For people: the operator counts on its own clock, from when it saw
// the grant or the renewal.
std::string until_when(const runtime::Claim& claim, kube::WallTime now) {
  if (claim.granted_ttl <= 0) return {};
  const auto granted = kube::parse_rfc3339(claim.granted_at);
  const auto renewed = kube::parse_rfc3339(claim.renew_time);
  if (!granted && !renewed) return {};
  kube::WallTime from = granted ? *granted : *renewed;
  if (renewed) from = std::max(from, *renewed);
  const kube::WallTime until = from + kube::Duration{claim.granted_ttl};
  return until > now ? "in " + human_duration(until - now) : "any moment";
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
  std::vector<Row> rows{{"HELD BY", "CLAIM", units_title(kind), "SINCE", "UNTIL", "TTL", "TOKEN", ""}};
  for (const ShownClaim& shown : claims.holding) {
    const runtime::Claim& claim = shown.view.claim;
    rows.push_back({kube::one_line(claim.holder, longest_holder), claim.name.name, std::to_string(claim.held_units),
                    age(claim.granted_at, now), until_when(claim, now),
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

std::vector<ShownClaim> counted_claims(std::vector<json> objects, const runtime::KindDeclaration& kind,
                                       const json& primitive) {
  std::vector<ShownClaim> claims;
  const auto meta = kube::parse_meta(primitive);
  if (!meta) return claims;
  for (json& object : objects) {
    auto view = view_of_claim(object, kind);
    if (!view || view->claim.primitive.name != meta->name || !is_of(view->claim, *meta)) continue;
    claims.push_back({std::move(*view), std::make_shared<const json>(std::move(object))});
  }
  const auto order = [&kind](const ShownClaim& shown) {
    return std::make_tuple(round_of(*shown.object, kind), shown.view.claim.asked_at, shown.view.claim.key);
  };
  std::sort(claims.begin(), claims.end(),
            [&order](const ShownClaim& left, const ShownClaim& right) { return order(left) < order(right); });
  return claims;
}

std::string table_of(const std::vector<ShownClaim>& counted, const runtime::KindDeclaration& kind,
                     const json& primitive, kube::WallTime now) {
  if (counted.empty()) return "nobody has joined\n";
  const bool named = !kind.participant_field.empty();
  const bool rounds = has_rounds(primitive, kind.wait);
  std::vector<Row> rows(1);
  if (named) rows[0].push_back(title_of(kind.participant_field));
  if (rounds) rows[0].push_back(title_of(kind.wait.round_field));
  rows[0].insert(rows[0].end(), {"CLAIM", "HOLDER", "AGE", ""});
  for (const ShownClaim& shown : counted) {
    Row row;
    if (named) row.push_back(kube::one_line(shown.view.claim.participant, longest_holder));
    const std::int64_t round = round_of(*shown.object, kind);
    if (rounds) row.push_back(round == 0 ? "" : std::to_string(round));
    row.push_back(shown.view.claim.name.name);
    row.push_back(kube::one_line(shown.view.claim.holder, longest_holder));
    row.push_back(age(text_at(*shown.object, "metadata.creationTimestamp"), now));
    row.push_back(remark_on(shown, kind));
    rows.push_back(std::move(row));
  }
  return render_table(rows);
}

std::string first_holders_of(const json& primitive, const runtime::KindDeclaration& kind, kube::WallTime now) {
  const json* holders = kube::find_path(primitive, "status.holders");
  if (holders == nullptr || !holders->is_array()) return {};
  if (holders->empty()) return "nobody holds it\n";
  const std::string home = text_at(primitive, "metadata.namespace") + "/";
  std::vector<Row> rows{{"HELD BY", "CLAIM", units_title(kind), "SINCE"}};
  for (const json& one : *holders) {
    const std::string since = text_at(one, "since");
    std::string name = text_at(one, "name");
    if (name.starts_with(home)) name.erase(0, home.size());
    rows.push_back({kube::one_line(text_at(one, "holder"), longest_holder), std::move(name),
                    std::to_string(kube::integer_at(one, "units").value_or(1)),
                    since.empty() ? std::string{} : age(since, now)});
  }
  return render_table(rows);
}

}  // namespace konductor::kondctl
