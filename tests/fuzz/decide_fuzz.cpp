#include "fuzz/fuzz.hpp"
#include "fuzz/semaphore_kind.hpp"
#include "runtime/plan.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace konductor;
using fuzz::expect;

/// A claim as a line: "STATE UNITS PRIORITY CREATED", with STATE w, W (does not wait), g or r.
runtime::ClaimFacts claim_of(const std::string& line) {
  std::vector<std::string> words = fuzz::split(line, ' ');
  words.resize(4);
  const auto number = [&](std::size_t i) {
    return static_cast<std::int64_t>(std::strtoll(words[i].c_str(), nullptr, 10));
  };
  runtime::ClaimFacts claim;
  claim.key = "team-a/worker";
  const char state = words[0].empty() ? 'w' : words[0].front();
  if (state == 'g') claim.state = runtime::ClaimState::granted;
  if (state == 'r') claim.state = runtime::ClaimState::revoking;
  claim.no_wait = state == 'W';
  claim.units = number(1);
  claim.priority = number(2);
  claim.created = number(3);
  return claim;
}

bool holds(const runtime::ClaimFacts& claim) {
  return claim.state == runtime::ClaimState::granted || claim.state == runtime::ClaimState::revoking;
}

/// In units as the plugin counts them, bounded so that this sum itself cannot overflow.
std::int64_t units_of(const runtime::ClaimFacts& claim) {
  return std::clamp<std::int64_t>(claim.units, 1, 10'000'000);
}

}  // namespace

/// The spec of a semaphore, and its claims: through the ABI as the operator calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(fuzz::text_of(data, size));
  runtime::Observation observation;
  observation.spec = lines.next();
  observation.state = "{}";
  observation.now = 1'700'000'000'000'000;
  observation.max_grants = 3;
  std::vector<runtime::ClaimFacts> claims;
  while (!lines.done() && claims.size() < 64) claims.push_back(claim_of(std::string(lines.next())));
  observation.claims = claims;

  const auto plan = fuzz::semaphore_kind().decide(observation);
  const auto spec = nlohmann::json::parse(observation.spec, nullptr, false);
  if (spec.is_discarded()) return 0;  // the host never gives such a one
  if (!plan) {
    expect(plan.error().code == Errc::invalid, "a spec is not understood, and no contract is broken");
    return 0;
  }
  std::int64_t held = 0;
  for (const auto& claim : claims) held += holds(claim) ? units_of(claim) : 0;
  std::int64_t granted = 0;
  for (const auto& verdict : plan->verdicts) {
    if (verdict.kind == runtime::VerdictKind::grant) granted += units_of(claims[verdict.claim]);
  }
  expect(spec.is_object(), "what is understood is an object");
  const std::int64_t limit = spec["permits"].get<std::int64_t>();
  expect(granted == 0 || held + granted <= limit, "no more is granted than the limit allows");
  expect(plan->status && nlohmann::json::accept(*plan->status), "there is a status");
  return 0;
}
