#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/claim_codec.hpp"
#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace konductor::kondctl {

namespace {

using runtime::Phase;

constexpr runtime::Duration default_timeout = std::chrono::seconds{30};

// What is no longer held can't be renewed; what is asked back can't be kept.
Result<void> check_held(const ClaimView& view, const std::string& claim, ExitCode& code) {
  const Phase phase = view.claim.phase;
  if (phase == Phase::granted && !view.claim.deleting) return {};
  code = phase == Phase::pending ? ExitCode::not_available : ExitCode::lost;
  const std::string words = view.message.empty() ? view.claim.reason : view.message;
  const std::string because = words.empty() ? std::string{} : ": " + words;
  if (phase == Phase::pending) return Error{Errc::conflict, "the claim " + claim + " still waits" + because, 0};
  return Error{Errc::conflict,
               "the claim " + claim + " is " +
                   (view.claim.deleting ? std::string("being deleted") : std::string(to_string(phase))) + because,
               0};
}

void print_renewed(Session& session, const ClaimPlace& place, const ClaimView& view) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const runtime::Duration ttl{view.claim.granted_ttl};
  const nlohmann::json facts = {{"kind", kind.names.kind},         {"name", place.primitive.name},
                                {"namespace", place.primitive.ns}, {"claim", place.claim.name},
                                {"token", view.claim.token},       {"ttl", kube::to_string(ttl)},
                                {"uid", view.claim.uid},           {"renewTime", view.claim.renew_time}};
  print_claim(session, place, facts,
              "renewed " + kind.names.singular + " " + kube::to_string(place.primitive) + ": claim " +
                  place.claim.name + ", token " + std::to_string(view.claim.token) + ", for " + kube::to_string(ttl) +
                  "\n");
}

}  // namespace

ExitCode renew(Session& session) {
  const runtime::KindDeclaration& kind = *session.invocation.kind;
  const auto place = place_known_claim(session);
  if (!place) return report(session.console, place.error());
  const runtime::MonoTime until = session.started + session.invocation.claim.timeout.value_or(default_timeout);
  const std::string name = kube::to_string(place->claim);
  const std::string claim_text = to_string(kind.claim_resource()) + " " + name;
  runtime::WallTime renewed;
  while (true) {
    const auto object = session.ask(kube::get(kind.claim_resource(), place->claim), "get " + claim_text, until);
    if (!object) return give_up(session, object.error(), until);
    const auto found = view_of_claim(*object, kind);
    if (!found) return report(session.console, found.error());
    if (found->claim.primitive.name != place->primitive.name) {
      session.console.error("the claim " + name + " is of " + kind.names.singular + " " + found->claim.primitive.name +
                            ", not of " + place->primitive.name);
      return ExitCode::usage;
    }
    renewed = renewal_time(found->claim.renew_time, renewed, session.client->server_now());
    const auto patch =
        kube::merge_patch(kind.claim_resource(), place->claim, compose_renewal(found->claim.uid, renewed));
    const bool may_renew = !runtime::is_terminal(found->claim.phase);
    const auto answer = may_renew ? session.ask(patch, "renew " + claim_text, until) : object;
    // Another life of the claim came in between.
    const bool other = !answer && (answer.error().code == Errc::conflict || answer.error().code == Errc::invalid);
    if (other && io::mono_now() < until) continue;
    if (!answer) return give_up(session, answer.error(), until);
    const auto view = view_of_claim(*answer, kind);
    if (!view) return report(session.console, view.error());
    ExitCode code = ExitCode::done;
    if (const auto held = check_held(*view, name, code); !held) {
      session.console.error(held.error().detail);
      return code;
    }
    print_renewed(session, *place, *view);
    return ExitCode::done;
  }
}

}  // namespace konductor::kondctl
