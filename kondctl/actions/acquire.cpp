#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/advice.hpp"
#include "kondctl/claim_machine.hpp"
#include "kondctl/dialogue_driver.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

namespace konductor::kondctl {

namespace {

using runtime::KindDeclaration;

constexpr runtime::Duration withdrawal_time = std::chrono::seconds{2};

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

// Nobody heard of the grant, and nobody would give it back.
ExitCode withdraw_unheard(Session& session, const ClaimPlace& place, const ClaimOutcome::Grant& grant) {
  const KindDeclaration& kind = *session.invocation.kind;
  const std::string why =
      "the result could not be written to standard output; the claim " + kube::to_string(place.claim);
  if (grant.adopted) {
    session.console.error(why + " stays as it was found: `" + how_to_release(kind, place) + "` releases it");
    return ExitCode::failed;
  }
  // The dialogue has closed the connections of the session that it had.
  const auto anew = Session::open(session.invocation, session.console, session.started);
  if (!anew) return report(session.console, anew.error());
  const auto gone = (*anew)->ask(kube::delete_object(kind.claim_resource(), place.claim, {grant.uid, {}}),
                                 "delete " + to_string(kind.claim_resource()) + " " + kube::to_string(place.claim),
                                 io::mono_now() + withdrawal_time);
  const bool left = !gone && gone.error().code != Errc::not_found && gone.error().code != Errc::conflict;
  session.console.error(left ? why + " is left behind (" + gone.error().detail + "): `" + how_to_release(kind, place) +
                                   "` releases it"
                             : why + " is given back");
  return ExitCode::failed;
}

}  // namespace

void print_grant(Session& session, const ClaimPlace& place, const ClaimOutcome::Grant& grant) {
  const KindDeclaration& kind = *session.invocation.kind;
  print_claim(session, place, describe(kind, place, grant), sentence(kind, place, grant));
}

ExitCode acquire(Session& session) {
  const auto place = place_claim(session);
  if (!place) return report(session.console, place.error());
  std::signal(SIGPIPE, SIG_IGN);  // what becomes of a grant of which nobody hears is for us to say
  const ClaimOutcome outcome =
      drive(session, ClaimMachine(wish_for(session, *place), claim_settings(session), session.started));
  if (!outcome.message.empty()) session.console.error(outcome.message);
  if (outcome.grant) {
    print_grant(session, *place, *outcome.grant);
    if (session.console.has_failed()) return withdraw_unheard(session, *place, *outcome.grant);
    if (!place->identity.pod) {
      session.console.note("not in a Pod: only its TTL (" + kube::to_string(outcome.grant->ttl) +
                           ") or a release frees the claim: " + how_to_release(*session.invocation.kind, *place));
    }
  }
  return code_of(session, outcome.code);
}

}  // namespace konductor::kondctl
