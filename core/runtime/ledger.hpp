#pragma once

#include "base/error.hpp"
#include "runtime/claim.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace konductor::runtime {

/// A grant that was recorded on the primitive and may not be visible on its claim yet.
struct PendingGrant {
  std::string claim;  // "namespace/name"
  std::string uid;
  std::int64_t units = 0;  // held once told; 0 for a consumed grant
  std::int64_t token = 0;
  std::string rv;  // of the claim when it was picked
  bool operator==(const PendingGrant&) const = default;
};

/// The small part of a primitive's status that makes grants safe (docs/architecture.md, "The grant protocol").
struct Ledger {
  std::int64_t last_token = 0;
  std::string seen;  // each grant that left `pending` is visible in a view of the claims at least this new
  std::vector<PendingGrant> pending;
  bool operator==(const Ledger&) const = default;
};

/// The ledger of a primitive's status: absent is nullopt; anything malformed is an Error, and then nothing is granted.
Result<std::optional<Ledger>> parse_ledger(const nlohmann::json& object);
nlohmann::json to_json(const Ledger& ledger);

/// A view of the claims, as far as the ledger's rules need it.
struct LedgerView {
  std::uint64_t rv = 0;  // complete up to it; 0: not comparable, so nothing can be said of what is absent
  std::function<const Claim*(const std::string& key)> find;
};

/// Forgets what is over: drops each entry whose claim is told or terminal, or, in a view that is new enough, gone or
/// another one; raises `seen` to what the dropped ones need. What is left may still be untold.
Ledger settled(const Ledger& ledger, const LedgerView& view);

/// The view rule: may somebody with a view complete up to `view_rv` decide? `own` is the ledger that this very process
/// committed last and laid over its view, if any.
[[nodiscard]] bool covers(std::uint64_t view_rv, const Ledger& ledger, const std::optional<Ledger>& own);

/// The token before the first one of a record: tokens go on above max(last_token, resourceVersion x 1000), so that a
/// re-created primitive stays above its former life.
[[nodiscard]] std::int64_t token_base(const Ledger& ledger, std::uint64_t primitive_rv) noexcept;

/// The marks of design.md section 2: may this waiting claim be told by this life of its primitive?
[[nodiscard]] bool is_marked_for(const Claim& claim, const std::string& primitive_uid,
                                 std::int64_t primitive_created) noexcept;

/// Must this waiting claim be marked before somebody is granted in this life of its primitive? Before the first grant
/// that asks for more than creation times, which two API servers, or one whose clock was set back, may give in the
/// wrong order: it needs none only where it shows itself that it was created later, by its resourceVersion.
[[nodiscard]] bool needs_mark(const Claim& claim, const std::string& primitive_uid, std::int64_t primitive_created,
                              const Ledger& ledger);

}  // namespace konductor::runtime
