#include "fuzz/fuzz.hpp"
#include "fuzz/semaphore_kind.hpp"
#include "fuzz/sentence.hpp"
#include "kondctl/claim_codec.hpp"
#include "kondctl/claim_tables.hpp"
#include "kube/json_fields.hpp"
#include "kube/text.hpp"
#include "runtime/claim.hpp"
#include "runtime/ledger.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace {

using namespace konductor;
using fuzz::expect;
using nlohmann::json;

const kube::WallTime noon{std::chrono::hours{500'000}};

/// The kind of a third party: with claim fields of each type.
runtime::KindDeclaration kind_with_fields() {
  runtime::KindDeclaration kind = fuzz::semaphore_kind();
  kind.claim_fields = {{"spec.mode", runtime::ValueType::string},
                       {"spec.size", runtime::ValueType::integer},
                       {"spec.loud", runtime::ValueType::boolean},
                       {"spec.pause", runtime::ValueType::duration}};
  return kind;
}

void check_fields(const json& object, const runtime::KindDeclaration& kind, const runtime::Claim& claim) {
  expect(claim.fields.size() == kind.claim_fields.size(), "each declared field has a value");
  for (std::size_t i = 0; i < claim.fields.size(); ++i) {
    const auto& field = claim.fields[i];
    if (!field.present) continue;
    const json* found = kube::find_path(object, kind.claim_fields[i].path);
    expect(found != nullptr, "what is absent is not present");
    if (field.type == runtime::ValueType::string) expect(*found == field.text, "text is as it is written");
    if (field.type == runtime::ValueType::integer) expect(*found == field.integer, "an integer is as it is written");
    if (field.type == runtime::ValueType::boolean)
      expect(*found == (field.integer == 1), "a boolean is as it is written");
    if (field.type == runtime::ValueType::duration) expect(field.integer >= 0, "no duration is negative");
  }
}

void check_claim(const runtime::Claim& claim) {
  expect(!claim.name.name.empty() && !claim.primitive.name.empty(), "a claim has a name and a primitive");
  expect(claim.asked_at >= claim.created && claim.asked_at - claim.created < 1'000'000,
         "a claim can't move out of its own second");
  expect(claim.ttl >= 0 && claim.granted_ttl >= 0 && claim.grace.value_or(0) >= 0, "no time is negative");
  expect(runtime::holds(claim.phase) || claim.held_units == 0, "who does not hold, holds no units");
  expect(!(runtime::holds(claim.phase) && runtime::is_terminal(claim.phase)), "who holds is not over");
  expect(!runtime::served_before(claim, claim), "a claim is not before itself");
  static_cast<void>(runtime::is_marked_for(claim, "u", claim.created));
}

}  // namespace

/// A claim as the server sends it: what the operator, and what kondctl makes of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const runtime::KindDeclaration kind = kind_with_fields();
  const json object = json::parse(fuzz::text_of(data, size), nullptr, false);
  if (object.is_discarded()) return 0;
  const auto claim = runtime::parse_claim(object, kind);
  const auto view = kondctl::view_of_claim(object, kind);
  expect(claim.has_value() == view.has_value(), "operator and client take the same claims");
  if (!claim) {
    expect(!claim.error().detail.empty(), "the error has a sentence");
    return 0;
  }
  check_claim(*claim);
  check_fields(object, kind, *claim);

  kondctl::ClaimWish wish;
  wish.kind = &kind;
  wish.claim = claim->name;
  wish.primitive = claim->primitive;
  wish.holder = claim->holder;
  wish.wait = claim->wait;
  static_cast<void>(kondctl::difference(object, wish));
  const json composed = kondctl::compose_claim(wish, noon);
  const auto again = runtime::parse_claim(composed, kind);
  expect(again && again->primitive.name == claim->primitive.name && again->wait == wish.wait,
         "a claim that is asked for is one");

  const auto shown = kondctl::sorted_claims({object}, kind, claim->primitive.name);
  for (const std::string& table : {kondctl::holders_of(shown, kind, noon), kondctl::queue_of(shown, kind, noon)}) {
    for (const std::string& line : fuzz::split(table)) expect(kube::visible(line) == line, "a table can be shown");
  }
  return 0;
}
