#include "fuzz/fuzz.hpp"
#include "fuzz/semaphore_kind.hpp"
#include "host/crd.hpp"

#include <nlohmann/json.hpp>

using namespace konductor;

/// The CRD that a server serves, of whichever program installed it. A merge patch of the right one, so that a part can
/// be lost.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& kind = fuzz::semaphore_kind();
  static const nlohmann::json good = host::primitive_crd(kind);
  const auto input = nlohmann::json::parse(fuzz::text_of(data, size), nullptr, false);
  if (input.is_discarded()) return 0;
  nlohmann::json served = good;
  served.merge_patch(input);
  const auto ledger =
      nlohmann::json::json_pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/ledger");
  const std::string why = host::why_not_served(served, kind, runtime::Place::primitive);
  fuzz::expect(why.size() < 2000, "what is wrong is said in a bounded sentence");
  const bool kept = served.is_object() && served.contains(ledger);
  fuzz::expect(kept || !why.empty() || served.dump().find("preserve-unknown-fields") != std::string::npos,
               "a CRD that loses the ledger is not served");
  static_cast<void>(host::why_not_served(input, kind, runtime::Place::claim));
  return 0;
}
