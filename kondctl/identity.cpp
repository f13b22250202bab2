#include "kondctl/identity.hpp"

#include "kondctl/claim_name.hpp"
#include "kube/jwt.hpp"

#include <utility>

namespace konductor::kondctl {

namespace {

Identity of_pod(std::string name, std::string uid, std::string ns, const std::string& slot) {
  Identity identity;
  identity.holder = name;
  identity.key = uid;
  identity.pod = PodReference{std::move(name), std::move(uid)};
  identity.pod_namespace = std::move(ns);
  identity.slot = slot;
  identity.lasting = true;
  return identity;
}

}  // namespace

Result<Identity> identify(const Surroundings& surroundings, const std::optional<std::string>& holder,
                          const std::string& slot) {
  if (holder) {
    Identity identity;
    identity.holder = *holder;
    identity.key = "holder/" + *holder;  // no UID has a slash
    identity.slot = slot;
    identity.lasting = true;
    return identity;
  }
  if (const auto token = kube::bound_token_claims(surroundings.token); token && !token->pod_uid.empty()) {
    return of_pod(token->pod_name, token->pod_uid, token->ns, slot);
  }
  const Surroundings& env = surroundings;
  if (!env.pod_uid.empty() || !env.pod_name.empty()) {
    if (env.pod_uid.empty() || env.pod_name.empty()) {
      return Error{Errc::bad_config,
                   std::string("the environment has ") + (env.pod_uid.empty() ? "POD_NAME" : "POD_UID") + " but no " +
                       (env.pod_uid.empty() ? "POD_UID" : "POD_NAME") +
                       ": give both (with POD_NAMESPACE, from the Downward API), or name the holder with --holder",
                   0};
    }
    return of_pod(env.pod_name, env.pod_uid, env.pod_namespace, slot);
  }
  Identity identity;
  identity.holder = env.user + "@" + env.host;
  identity.key = "holder/" + identity.holder;
  identity.slot = slot.empty() ? "random/" + random_slot(env.random) : slot;
  identity.lasting = !slot.empty();
  return identity;
}

}  // namespace konductor::kondctl
