#include "kondctl/actions/actions.hpp"
#include "kondctl/advice.hpp"
#include "kondctl/claim_machine.hpp"
#include "kondctl/dialogue_driver.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace konductor::kondctl {

namespace {

using runtime::KindDeclaration;

std::string how_to_release(const KindDeclaration& kind, const ClaimPlace& place) {
  const bool by_verb = std::ranges::any_of(
      kind.commands, [](const auto& command) { return command.action == runtime::Action::release; });
  // In the same Pod the verb finds the claim by itself.
  const bool found = by_verb && place.identity.pod.has_value();
  return release_command(kind, place.primitive, found ? std::string{} : place.claim.name);
}

nlohmann::json describe(const KindDeclaration& kind, const ClaimPlace& place, const ClaimOutcome::Grant& grant) {
  return {{"kind", kind.names.kind},
          {"name", place.primitive.name},
          {"namespace", place.primitive.ns},
          {"claim", place.claim.name},
          {"uid", grant.uid},
          {"token", grant.token},
          {"units", grant.units},
          {"ttl", kube::to_string(grant.ttl)},
          {"holder", place.identity.holder},
          {"adopted", grant.adopted},
          {"release", how_to_release(kind, place)}};
}

std::string sentence(const KindDeclaration& kind, const ClaimPlace& place, const ClaimOutcome::Grant& grant) {
  std::string text = grant.adopted ? "still granted " : "granted ";
  text += kind.names.singular + " " + kube::to_string(place.primitive) + ": claim " + place.claim.name;
  if (!kind.units_field.empty()) text += ", " + kind.units_field + " " + std::to_string(grant.units);
  return text + ", token " + std::to_string(grant.token) + ", ttl " + kube::to_string(grant.ttl) + "\n";
}

}  // namespace

void print_grant(Session& session, const ClaimPlace& place, const ClaimOutcome::Grant& grant) {
  const KindDeclaration& kind = *session.invocation.kind;
  print_claim(session, place, describe(kind, place, grant), sentence(kind, place, grant));
}

ExitCode acquire(Session& session) {
  const auto place = place_claim(session);
  if (!place) return report(session.console, place.error());
  const ClaimSettings settings = claim_settings(session);
  const ClaimOutcome outcome = drive(session, ClaimMachine(wish_for(session, *place), settings, session.started));
  if (!outcome.message.empty()) session.console.error(outcome.message);
  if (outcome.grant) {
    print_grant(session, *place, *outcome.grant);
    if (!place->identity.pod) {
      session.console.note("not in a Pod: only its TTL (" + kube::to_string(outcome.grant->ttl) +
                           ") or a release frees the claim: " + how_to_release(*session.invocation.kind, *place));
    }
  }
  return code_of(session, outcome.code);
}

}  // namespace konductor::kondctl
