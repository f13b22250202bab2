#include "runtime/claim_writes.hpp"

#include "kube/time.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::runtime {
namespace {

using nlohmann::json;

json condition(const char* type, const char* status, const std::string& reason, const std::string& message,
               WallTime now) {
  return {{"type", type},
          {"status", status},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", kube::to_rfc3339(now)}};
}

json granted_condition(bool granted, const std::string& reason, const std::string& message, WallTime now) {
  return condition("Granted", granted ? "True" : "False", reason, message, now);
}

/// What others say of the claim stays: a merge patch replaces the whole list.
json other_conditions(const Claim& claim) {
  if (claim.other_conditions.empty()) return json::array();
  return json::parse(claim.other_conditions, nullptr, false);
}

json conditions_with(const Claim& claim, json own) {
  auto all = other_conditions(claim);
  all.push_back(std::move(own));
  return all;
}

kube::Request status_patch(const KindDeclaration& kind, const Claim& claim, json status) {
  const json patch = {{"metadata", {{"resourceVersion", claim.resource_version}, {"uid", claim.uid}}},
                      {"status", std::move(status)}};
  return kube::merge_patch(kind.claim_resource(), claim.name, patch, "status");
}

}  // namespace

kube::Request tell(const KindDeclaration& kind, const Claim& claim, const PendingGrant& grant, Duration ttl,
                   const std::string& primitive_uid, WallTime server_now) {
  return status_patch(
      kind, claim,
      {{"phase", "Granted"},
       {"token", grant.token},
       {"units", grant.units},
       {"ttl", kube::to_string(ttl)},
       {"grantedAt", kube::to_rfc3339_micro(server_now)},
       {"primitiveUID", primitive_uid},
       {"conditions",
        {granted_condition(true, "Granted", "granted with token " + std::to_string(grant.token), server_now)}}});
}

kube::Request acknowledge(const KindDeclaration& kind, const Claim& claim, const std::string& reason,
                          const std::string& message, const std::string& primitive_uid, WallTime server_now) {
  json status = {{"phase", "Pending"}, {"conditions", {granted_condition(false, reason, message, server_now)}}};
  if (!primitive_uid.empty()) status["primitiveUID"] = primitive_uid;
  return status_patch(kind, claim, std::move(status));
}

kube::Request revoke(const KindDeclaration& kind, const Claim& claim, const Revocation& revocation,
                     WallTime server_now) {
  return status_patch(kind, claim,
                      {{"phase", "Revoking"},
                       {"grace", kube::to_string(revocation.grace)},
                       {"conditions", {granted_condition(true, revocation.reason, revocation.message, server_now)}}});
}

kube::Request end_claim(const KindDeclaration& kind, const Claim& claim, const Ending& ending, WallTime server_now) {
  return status_patch(kind, claim,
                      {{"phase", to_string(ending.phase)},
                       {"endedAt", kube::to_rfc3339_micro(server_now)},
                       {"conditions", {granted_condition(false, ending.reason, ending.message, server_now)}}});
}

kube::Request settle(const KindDeclaration& kind, const Claim& claim, const Participant& who, WallTime server_now) {
  json status = {{"participant", who.id}};
  if (!who.doubt.empty()) {
    status["conditions"] = conditions_with(claim, condition(participant_condition, "False", "PodIsParticipant",
                                                            doubt_message(kind, who.doubt), server_now));
  } else if (!claim.doubt.empty()) {
    status["conditions"] = other_conditions(claim);
  }
  return status_patch(kind, claim, std::move(status));
}

kube::Request doubt(const KindDeclaration& kind, const Claim& claim, const std::string& reason,
                    const std::string& message, WallTime server_now) {
  auto own = condition(participant_condition, "Unknown", reason, message, server_now);
  return status_patch(kind, claim, {{"conditions", conditions_with(claim, std::move(own))}});
}

kube::Request remove_claim(const KindDeclaration& kind, const Claim& claim) {
  return kube::delete_object(kind.claim_resource(), claim.name, {claim.uid, claim.resource_version});
}

}  // namespace konductor::runtime
