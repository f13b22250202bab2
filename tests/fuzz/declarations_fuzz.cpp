#include "fuzz/fuzz.hpp"
#include "fuzz/semaphore_kind.hpp"
#include "fuzz/sentence.hpp"
#include "host/crd.hpp"
#include "host/declaration_check.hpp"
#include "host/json_text.hpp"
#include "host/manifests.hpp"
#include "host/words.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace konductor;
using fuzz::expect;

/// What a plugin declares as text: names, paths, a rule, a column, a flag; then a schema of its spec.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!host::is_text(fuzz::text_of(data, size))) return 0;  // refused where it is copied out of the plugin
  fuzz::Lines lines(fuzz::text_of(data, size));
  runtime::KindDeclaration kind = fuzz::semaphore_kind();
  kind.names.kind = lines.next();
  kind.names.plural = lines.next();
  kind.names.singular = lines.next();
  kind.claim_fields = {{std::string(lines.next()), runtime::ValueType::string}};
  kind.rules.push_back({runtime::Place::primitive, std::string(lines.next()), "must hold"});
  kind.columns.front().json_path = lines.next();
  kind.commands.front().verb = lines.next();
  kind.commands.front().flags.front().name = lines.next();
  kind.commands.front().fixed = {{"spec.mode", std::string(lines.next())}};
  kind.claim_spec_schema = lines.rest();

  const std::string why = host::why_not_valid(kind);
  expect(why.size() < 2000, "what is wrong is said in a bounded sentence");
  if (!why.empty()) return 0;
  expect(host::is_kind_word(kind.names.kind) && host::is_resource_word(kind.names.plural), "names are words");
  const auto primitive = host::primitive_crd(kind);
  const auto claim = host::claim_crd(kind);
  // As a server serves it, and as one that has lost a part.
  expect(host::why_not_served(primitive, kind, runtime::Place::primitive).empty(), "its own CRD can be served");
  expect(host::why_not_served(claim, kind, runtime::Place::claim).empty(), "and that of its claims");
  expect(!host::why_not_served(nlohmann::json::object(), kind, runtime::Place::primitive).empty(),
         "an empty one can't");
  expect(!host::manifests({&kind, 1}).empty(), "there are manifests");
  return 0;
}
