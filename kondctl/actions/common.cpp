#include "host/yaml_printer.hpp"
#include "io/clock.hpp"
#include "kondctl/actions/actions.hpp"
#include "kondctl/advice.hpp"
#include "kondctl/claim_name.hpp"
#include "kondctl/claim_order.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <random>
#include <utility>

namespace konductor::kondctl {

ExitCode report(Console& console, const Error& error) {
  console.error(sentence_for(error));
  return exit_code_for(error);
}

Result<Identity> identity_for(const Session& session) {
  auto identity = session.identity();
  if (!identity) return identity.error();
  const std::string& ns = session.ns();
  if (identity->pod && !identity->pod_namespace.empty() && identity->pod_namespace != ns) {
    return Error{Errc::bad_config,
                 "this Pod is in namespace " + identity->pod_namespace + " and can't hold anything of namespace " + ns +
                     ": claims across namespaces are not possible yet (with --holder TEXT a claim is bound to no Pod)",
                 0};
  }
  return identity;
}

DialogueSettings dialogue_settings(const Session& session) {
  DialogueSettings settings;
  if (session.invocation.claim.timeout) settings.deadline = session.started + *session.invocation.claim.timeout;
  settings.seed = std::random_device{}();
  if (session.invocation.global.words_on_terminal) {
    settings.progress_every = std::chrono::seconds{1};
    settings.progress_again = false;
  }
  return settings;
}

ClaimSettings claim_settings(Session& session) {
  ClaimSettings settings;
  static_cast<DialogueSettings&>(settings) = dialogue_settings(session);
  const GlobalOptions& options = session.invocation.global;
  if (!options.words_on_terminal || options.quiet) return settings;
  settings.place_in_line = [&session](const nlohmann::json& primitive, const nlohmann::json& claims,
                                      const std::string& uid) {
    return place_in_line(claims, *session.invocation.kind, primitive, uid, session.client->server_now());
  };
  return settings;
}

Result<ClaimPlace> place_claim(const Session& session) {
  auto identity = identity_for(session);
  if (!identity) return identity.error();
  const std::string& ns = session.ns();
  ClaimPlace place;
  place.primitive = {ns, session.invocation.name};
  place.claim = {ns, session.invocation.claim.claim};
  if (place.claim.name.empty()) place.claim.name = claim_name({identity->key, place.primitive, identity->slot});
  place.identity = std::move(*identity);
  return place;
}

Result<ClaimPlace> place_known_claim(const Session& session) {
  auto place = place_claim(session);
  if (!place || !session.invocation.claim.claim.empty() || place->identity.lasting) return place;
  return Error{Errc::bad_config,
               "outside of a Pod say which claim: --claim CLAIM as `acquire` printed it, or --holder TEXT as it was "
               "given to `acquire`",
               0};
}

// A deadline of the user's own has a code of its own.
ExitCode give_up(Session& session, const Error& error, runtime::MonoTime until) {
  const bool timed_out = session.invocation.claim.timeout && is_retryable(error.code) && io::mono_now() >= until;
  const ExitCode code = report(session.console, error);
  return timed_out ? ExitCode::timed_out : code;
}

ClaimWish wish_for(const Session& session, const ClaimPlace& place) {
  const Invocation& invocation = session.invocation;
  ClaimWish wish;
  wish.kind = invocation.kind;
  wish.primitive = place.primitive;
  wish.claim = place.claim;
  wish.pod = place.identity.pod;
  wish.holder = place.identity.holder;
  wish.ttl = invocation.claim.ttl;
  wish.priority = invocation.claim.priority;
  wish.wait = invocation.claim.wait;
  wish.fields = invocation.fields;
  return wish;
}

ExitCode code_of(const Session& session, ExitCode code) {
  return code == ExitCode::not_available ? static_cast<ExitCode>(session.invocation.claim.conflict_exit_code) : code;
}

void print_claim(Session& session, const ClaimPlace& place, const nlohmann::json& facts, const std::string& sentence) {
  const Format format = session.invocation.global.output;
  switch (format) {
    case Format::json:
    case Format::yaml: return session.console.print(to_text(facts, format));
    case Format::name:
      return session.console.print(resource_line(session.invocation.kind->claim.singular, place.claim.name));
    case Format::table:
    case Format::wide: break;
  }
  session.console.print(sentence);
}

std::string resource_line(const std::string& singular, const std::string& name) {
  return singular + "." + runtime::api_group + "/" + kube::visible(name) + "\n";
}

std::string to_text(const nlohmann::json& value, Format format) {
  if (format == Format::yaml) return host::to_yaml(value);
  return kube::visible_json(value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace)) + "\n";
}

}  // namespace konductor::kondctl
