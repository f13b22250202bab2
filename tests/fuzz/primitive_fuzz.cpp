#include "fuzz/fuzz.hpp"
#include "fuzz/semaphore_kind.hpp"
#include "fuzz/sentence.hpp"
#include "kondctl/claim_codec.hpp"
#include "kondctl/claim_tables.hpp"
#include "kube/text.hpp"
#include "runtime/primitive.hpp"
#include "runtime/primitive_status.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <limits>
#include <memory>
#include <string>

namespace {

using namespace konductor;
using fuzz::expect;
using nlohmann::json;

const kube::WallTime noon{std::chrono::hours{500'000}};

void check_ledger(const runtime::Primitive& primitive) {
  expect(primitive.ledger_error.empty() || !primitive.ledger, "a ledger that can't be read is none");
  if (!primitive.ledger) return;
  const runtime::Ledger& ledger = *primitive.ledger;
  const auto again = runtime::parse_ledger({{"status", {{"ledger", runtime::to_json(ledger)}}}});
  expect(again && *again == ledger, "a ledger survives being written");
  for (const auto& grant : ledger.pending) expect(grant.units >= 0, "no grant gives units away");
  expect(runtime::token_base(ledger, primitive.rv) >= ledger.last_token, "tokens only grow");

  // Nobody is known to be there: a view that is new enough forgets them all, one that is not comparable nobody.
  const auto nobody = [](const std::string&) -> const runtime::Claim* { return nullptr; };
  expect(runtime::settled(ledger, {0, nobody}) == ledger, "a view that can't be compared forgets nothing");
  const auto later = runtime::settled(ledger, {std::numeric_limits<std::uint64_t>::max(), nobody});
  expect(later.pending.size() <= ledger.pending.size() && later.last_token == ledger.last_token, "only entries go");
  expect(runtime::settled(later, {std::numeric_limits<std::uint64_t>::max(), nobody}) == later, "settled is settled");
  expect(runtime::covers(0, ledger, ledger), "one's own ledger is covered");
}

/// What is written once differs no more.
void check_status(const std::shared_ptr<const json>& object, const runtime::Primitive& primitive) {
  runtime::ShownStatus shown;
  shown.fields = R"({"phase": "Ready", "inUse": 3, "permits": 5})";
  shown.conditions = {{"Ready", runtime::ConditionStatus::true_, "Serving", "serves"}};
  shown.with_holders = true;
  shown.holders = {{"a", "me", 2, "2024-01-15T10:30:00.000000Z"}};
  shown.selector = "x=y";
  const auto first = runtime::difference(primitive, shown, noon);
  expect(first.status->is_object(), "a patch is an object");
  json stored = *object;
  stored.merge_patch({{"status", *first.status}});
  const auto next = runtime::parse_primitive(std::make_shared<const json>(std::move(stored)));
  expect(next.has_value(), "a primitive survives its own status");
  expect(runtime::difference(*next, shown, noon).empty(), "what is written once differs no more");

  const std::string state = R"({"served": [1, 2], "deep": {"er": null}})";
  const runtime::NewState fresh{state, noon};
  const auto request = runtime::record(fuzz::semaphore_kind(), primitive, nullptr, &fresh, first);
  expect(json::accept(request.body), "a record is JSON");
  static_cast<void>(runtime::changes_state(primitive, state));
}

}  // namespace

/// A primitive as the server sends it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  json parsed = json::parse(fuzz::text_of(data, size), nullptr, false);
  if (parsed.is_discarded()) return 0;
  const auto object = std::make_shared<const json>(std::move(parsed));
  const auto primitive = runtime::parse_primitive(object);
  if (!primitive) return fuzz::expect_sentence(primitive.error()), 0;
  expect(json::parse(primitive->spec).is_object() && json::parse(primitive->state).is_object(),
         "a plugin is given objects");
  expect(primitive->ttl >= 0, "no time is negative");
  check_ledger(*primitive);
  check_status(object, *primitive);
  for (const std::string& line : fuzz::split(kondctl::first_holders_of(*object, fuzz::semaphore_kind(), noon))) {
    expect(kube::visible(line) == line, "a table can be shown");
  }
  static_cast<void>(kondctl::why_not_ready(*object));
  return 0;
}
