#include "runtime/ledger.hpp"

#include "kube/json_fields.hpp"
#include "kube/resource_version.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace konductor::runtime {
namespace {

using nlohmann::json;

/// Far beyond what any server counts to, and far from where a sum would leave 64 bits: there a ledger is not readable.
constexpr std::int64_t most_token = std::numeric_limits<std::int64_t>::max() / 2;

std::uint64_t number_of(const std::string& resource_version) {
  return kube::parse_resource_version(resource_version).value_or(0);
}

Error unreadable(const std::string& what) {
  return Error{Errc::invalid, "status.ledger is not readable: " + what + "; nothing is granted until it is", 0};
}

Result<PendingGrant> parse_pending(const json& item) {
  const auto units = kube::integer_at(item, "units");
  const auto token = kube::integer_at(item, "token");
  PendingGrant grant{kube::text_at(item, "claim"), kube::text_at(item, "uid"), units.value_or(0), token.value_or(0),
                     kube::text_at(item, "rv")};
  if (grant.claim.empty() || grant.uid.empty() || !units || !token || *units < 0)
    return unreadable("an entry of pending lacks claim, uid, units or token");
  return grant;
}

// What becomes of one entry. `needs`: the resourceVersion up to which a view must be to show that.
struct Fate {
  bool over = false;
  std::string needs;
};

Fate fate_of(const PendingGrant& entry, const LedgerView& view) {
  const Claim* claim = view.find(entry.claim);
  if (claim != nullptr && claim->uid == entry.uid) {
    const bool visible = holds(claim->phase) || is_terminal(claim->phase);
    return {visible, visible ? claim->resource_version : std::string{}};
  }
  // Absent, or another claim of that name: only a view that is newer than the entry's claim can say so.
  const auto picked_at = number_of(entry.rv);
  return {view.rv != 0 && picked_at != 0 && view.rv >= picked_at, {}};
}

}  // namespace

Result<std::optional<Ledger>> parse_ledger(const json& object) {
  const json* found = kube::find_path(object, "status.ledger");
  if (found == nullptr || found->is_null()) return std::optional<Ledger>{};
  if (!found->is_object()) return unreadable("it is no object");
  Ledger ledger;
  const auto last_token = kube::integer_at(*found, "lastToken");
  if (!last_token) return unreadable("lastToken is missing");
  if (*last_token < 0 || *last_token > most_token) return unreadable("lastToken is none that was ever given");
  ledger.last_token = *last_token;
  ledger.seen = kube::text_at(*found, "seen");
  if (ledger.seen.empty()) return unreadable("seen is missing");
  const json* pending = kube::find_path(*found, "pending");
  if (pending == nullptr) return std::optional<Ledger>{std::move(ledger)};
  if (!pending->is_array()) return unreadable("pending is no list");
  for (const auto& item : *pending) {
    auto grant = parse_pending(item);
    if (!grant) return grant.error();
    ledger.pending.push_back(std::move(*grant));
  }
  return std::optional<Ledger>{std::move(ledger)};
}

json to_json(const Ledger& ledger) {
  json pending = json::array();
  for (const auto& grant : ledger.pending) {
    pending.push_back(
        {{"claim", grant.claim}, {"uid", grant.uid}, {"units", grant.units}, {"token", grant.token}, {"rv", grant.rv}});
  }
  return {{"lastToken", ledger.last_token}, {"seen", ledger.seen}, {"pending", std::move(pending)}};
}

Ledger settled(const Ledger& ledger, const LedgerView& view) {
  Ledger left{ledger.last_token, ledger.seen, {}};
  for (const auto& entry : ledger.pending) {
    const auto fate = fate_of(entry, view);
    if (!fate.over) {
      left.pending.push_back(entry);
    } else if (number_of(fate.needs) > number_of(left.seen)) {
      left.seen = fate.needs;
    }
  }
  return left;
}

bool covers(std::uint64_t view_rv, const Ledger& ledger, const std::optional<Ledger>& own) {
  const auto seen = number_of(ledger.seen);
  if (seen != 0 && view_rv >= seen) return true;
  return own && *own == ledger;
}

std::int64_t token_base(const Ledger& ledger, std::uint64_t primitive_rv) noexcept {
  constexpr std::int64_t tokens_per_revision = 1000;
  const auto revision = std::min(primitive_rv, std::uint64_t{most_token / tokens_per_revision});
  return std::max(ledger.last_token, static_cast<std::int64_t>(revision) * tokens_per_revision);
}

bool is_marked_for(const Claim& claim, const std::string& primitive_uid, std::int64_t primitive_created) noexcept {
  if (claim.mark.empty()) return claim.created > primitive_created;
  return claim.mark == primitive_uid;
}

bool needs_mark(const Claim& claim, const std::string& primitive_uid, std::int64_t primitive_created,
                const Ledger& ledger) {
  if (!is_marked_for(claim, primitive_uid, primitive_created)) return true;
  if (ledger.last_token != 0 || claim.mark == primitive_uid) return false;
  // Until the first grant `seen` is the primitive's own first resourceVersion. A claim that was written since it was
  // created does not show any more when that was.
  const bool written_since = claim.acknowledged || !claim.renew_time.empty();
  return claim.rv <= number_of(ledger.seen) || written_since;
}

}  // namespace konductor::runtime
