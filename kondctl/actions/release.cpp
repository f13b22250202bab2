#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/claim_codec.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace konductor::kondctl {

namespace {

constexpr runtime::Duration default_timeout = std::chrono::seconds{30};

std::string sentence(const runtime::KindDeclaration& kind, const ClaimPlace& place, runtime::Phase phase) {
  const std::string primitive = kind.names.singular + " " + kube::to_string(place.primitive);
  if (runtime::is_terminal(phase)) {
    return "removed claim " + place.claim.name + " of " + primitive + ": it was " + std::string(to_string(phase)) +
           " and held nothing any more\n";
  }
  if (phase == runtime::Phase::pending) {
    return "withdrew claim " + place.claim.name + " of " + primitive + ": it still waited\n";
  }
  return "released " + primitive + ": claim " + place.claim.name + "\n";
}

void print_released(Session& session, const ClaimPlace& place, const ClaimView& view) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const nlohmann::json facts = {
      {"kind", kind.names.kind},   {"name", place.primitive.name},         {"namespace", place.primitive.ns},
      {"claim", place.claim.name}, {"phase", to_string(view.claim.phase)}, {"token", view.claim.token}};
  print_claim(session, place, facts, sentence(kind, place, view.claim.phase));
}

}  // namespace

ExitCode release(Session& session) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const auto place = place_known_claim(session);
  if (!place) return report(session.console, place.error());
  const runtime::MonoTime until = session.started + session.invocation.claim.timeout.value_or(default_timeout);
  const std::string claim_text = to_string(kind.claim_resource()) + " " + kube::to_string(place->claim);
  while (true) {
    const auto object = session.ask(kube::get(kind.claim_resource(), place->claim), "get " + claim_text, until);
    if (!object && object.error().code == Errc::not_found) {
      session.console.error("nothing to release: there is no claim " + kube::to_string(place->claim) + " on " +
                            kind.names.singular + " " + place->primitive.name);
      return ExitCode::no_such_object;
    }
    if (!object) return give_up(session, object.error(), until);
    const auto view = view_of_claim(*object, kind);
    if (!view) return report(session.console, view.error());
    if (view->claim.primitive.name != place->primitive.name) {
      session.console.error("the claim " + place->claim.name + " is of " + kind.names.singular + " " +
                            view->claim.primitive.name + ", not of " + place->primitive.name);
      return ExitCode::usage;
    }
    const auto gone = session.ask(kube::delete_object(kind.claim_resource(), place->claim, {view->claim.uid, {}}),
                                  "delete " + claim_text, until);
    // Another life of the same name came in between: that one is ours too, by its name.
    if (!gone && gone.error().code == Errc::conflict && io::mono_now() < until) continue;
    if (!gone && gone.error().code != Errc::not_found) return give_up(session, gone.error(), until);
    print_released(session, *place, *view);
    return ExitCode::done;
  }
}

}  // namespace konductor::kondctl
