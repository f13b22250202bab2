#include "host/host_fields.hpp"

#include <nlohmann/json.hpp>

namespace konductor::host {
namespace {

using nlohmann::json;

json text(const char* description, int max_length) {
  return {{"type", "string"}, {"maxLength", max_length}, {"description", description}};
}

json date_time(const char* description) {
  return {{"type", "string"}, {"format", "date-time"}, {"maxLength", 64}, {"description", description}};
}

json int64(const char* description) {
  return {{"type", "integer"}, {"format", "int64"}, {"description", description}};
}

json object(const char* description, json properties, json required = json::array()) {
  json schema = {{"type", "object"}, {"description", description}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json atomic_list(const char* description, int max_items, json items) {
  return {{"type", "array"},
          {"maxItems", max_items},
          {"x-kubernetes-list-type", "atomic"},
          {"description", description},
          {"items", std::move(items)}};
}

json ttl(const char* description) {
  auto schema = text(description, 32);
  schema["pattern"] = R"(^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$)";
  schema["x-kubernetes-validations"] =
      json::array({{{"rule", "duration(self) >= duration('1s') && duration(self) <= duration('8760h')"},
                    {"message", "a ttl is a duration from 1s to 8760h, such as 90s, 10m or 1h30m"}}});
  return schema;
}

json conditions() {
  auto type = text("What this is about, in CamelCase.", 316);
  type["pattern"] =
      R"(^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$)";
  auto status = text("Whether it holds.", 16);
  status["enum"] = {"True", "False", "Unknown"};
  auto reason = text("Why, as one CamelCase word.", 1024);
  reason["minLength"] = 1;
  reason["pattern"] = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
  auto generation = int64("The metadata.generation that this was found out for.");
  generation["minimum"] = 0;
  json properties = {{"type", std::move(type)},
                     {"status", std::move(status)},
                     {"reason", std::move(reason)},
                     {"message", text("Why, as a sentence for people.", 32768)},
                     {"observedGeneration", std::move(generation)},
                     {"lastTransitionTime", date_time("When the status last changed.")}};
  json items =
      object("One condition.", std::move(properties), {"type", "status", "reason", "message", "lastTransitionTime"});
  return {{"type", "array"},
          {"maxItems", 64},
          {"x-kubernetes-list-type", "map"},
          {"x-kubernetes-list-map-keys", {"type"}},
          {"description", "What holds for this object at the moment, in the standard form of Kubernetes."},
          {"items", std::move(items)}};
}

json ledger() {
  json entry = {
      {"claim", text("Namespace and name of the claim, joined by a slash.", 317)},
      {"uid", text("UID of the claim.", 64)},
      {"units", int64("Units granted to it.")},
      {"token", int64("Its fencing token.")},
      {"rv",
       text("resourceVersion of the claim that was granted: a view newer than it shows whether the claim still exists.",
            64)}};
  json properties = {
      {"lastToken", int64("The highest fencing token given out so far.")},
      {"seen",
       text("A resourceVersion: grants that left pending are visible in every view of the claims at least this new.",
            64)},
      {"pending",
       atomic_list("Grants that are recorded here and may not show on their claims yet.", 1000,
                   object("One recorded grant.", std::move(entry), {"claim", "uid", "units", "token", "rv"}))}};
  return object("What makes grants safe across crashes and failovers. Written by the operator only; do not edit it.",
                std::move(properties));
}

json holders() {
  json entry = {{"name", text("Namespace and name of the claim, joined by a slash.", 317)},
                {"holder", text("Who holds it.", 253)},
                {"units", int64("How many units it holds.")},
                {"since", date_time("Since when.")}};
  return atomic_list("The first ten holders, for people. The claims themselves are the truth.", 10,
                     object("One holder.", std::move(entry), {"name"}));
}

json pattern_text(const char* description, int max_length, const char* pattern) {
  auto schema = text(description, max_length);
  schema["minLength"] = 1;
  schema["pattern"] = pattern;
  return schema;
}

/// The operator asks for the Pod by this name: what is no name could ask for something else.
json pod() {
  return object("The Pod on whose behalf this asks; absent outside of pods.",
                {{"name", pattern_text("Name of the Pod, in the namespace of this object.", 253,
                                       R"(^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)")},
                 {"uid", pattern_text("UID of the Pod: once that very Pod is gone, so is what it holds.", 64,
                                      "^[-A-Za-z0-9]+$")}},
                {"name", "uid"});
}

json primitive_name(const runtime::KindDeclaration& kind) {
  const auto description = "Name of the " + kind.names.kind + " that this asks. Cannot be changed.";
  return pattern_text(description.c_str(), 63, "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$");
}

json units() {
  auto schema = int64("How many units are asked for. Cannot be changed.");
  schema["minimum"] = 1;
  schema["maximum"] = 2147483647;
  schema["default"] = 1;
  return schema;
}

json priority() {
  return {
      {"type", "integer"},   {"format", "int32"},
      {"minimum", -1000000}, {"maximum", 1000000},
      {"default", 0},        {"description", "Higher ones are served first. Can be changed only while this waits."}};
}

json counted_claim_status_properties(const runtime::KindDeclaration& kind) {
  const bool with_pod = kind.claim_lifetime == runtime::Lifetime::with_pod;
  auto phase = text(with_pod ? "Absent while this counts; Denied where it was refused, Expired where its Pod is gone."
                             : "Absent while this counts; Denied where it was refused.",
                    16);
  phase["enum"] = with_pod ? json{"Denied", "Expired"} : json::array({"Denied"});
  json properties = {{"phase", std::move(phase)},
                     {"endedAt", date_time("When it was refused or expired, by the API server's clock.")},
                     {"outcome", text("What the holder reported when it was done.", 256)},
                     {"conditions", conditions()}};
  if (!kind.participant_field.empty()) {
    properties["participant"] = text(
        "Who this is, where spec does not say: found out by the operator once, before it is counted. UID and index "
        "of an Indexed Job, the UID of a Job with one completion, or else the UID of the Pod.",
        128);
  }
  return properties;
}

}  // namespace

json primitive_rules(const runtime::KindDeclaration& kind) {
  // A claim could not name it else; kubectl's own check allows 253 characters, and dots.
  return json::array({{{"rule", "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')"},
                       {"message", "the name of a " + kind.names.kind +
                                       " has at most 63 characters, and no dots: claims name it so"}}});
}

json primitive_spec_properties(runtime::Mode mode) {
  if (mode != runtime::Mode::granted) return json::object();
  return {{"ttl", ttl("How long a claim lives without a renewal where it does not say itself, and the most that it may "
                      "say. 10m if absent.")}};
}

json primitive_status_properties(const runtime::KindDeclaration& kind) {
  json properties = {
      {"observedGeneration", int64("The metadata.generation that this status describes.")},
      {"conditions", conditions()},
      {"state",
       {{"type", "object"},
        {"x-kubernetes-preserve-unknown-fields", true},
        {"description",
         "What the plugin keeps from one decision to the next. Written by the operator only; do not edit it."}}}};
  properties["stateTime"] = date_time("The API server's time when state was last written.");
  if (kind.scales()) {
    properties["selector"] = text(
        "A label selector, as autoscalers want one beside the scale subresource. It stays the same and selects "
        "nothing.",
        253);
  }
  if (kind.mode == runtime::Mode::granted) {
    properties["ledger"] = ledger();
    properties["holders"] = holders();
  }
  return properties;
}

json claim_spec_properties(const runtime::KindDeclaration& kind) {
  json properties = {
      {kind.primitive_field, primitive_name(kind)},
      {"pod", pod()},
      {"holder", text("Who asks, shown to people. Cannot be changed.", 253)},
      {"requestedAt", date_time("When the client asked, with microseconds: the order within one second of creation. "
                                "Cannot be changed.")}};
  if (!kind.units_field.empty()) properties[kind.units_field] = units();
  if (kind.mode != runtime::Mode::granted) return properties;
  properties["ttl"] =
      ttl("How long this lives without a renewal; at most the primitive's ttl, and that if absent. Can be changed only "
          "while this waits.");
  properties["priority"] = priority();
  properties["wait"] = {
      {"type", "boolean"},
      {"default", true},
      {"description",
       "Whether to wait. If false, this is denied unless it can be granted at once. Cannot be changed."}};
  properties["renewTime"] = date_time("Set anew by the holder to show that it still lives: its ttl then starts again.");
  return properties;
}

json claim_status_properties(const runtime::KindDeclaration& kind) {
  if (kind.mode != runtime::Mode::granted) return counted_claim_status_properties(kind);
  auto phase = text(
      "Pending waits, Granted holds, Revoking holds and was told to stop; Denied, Expired and Revoked are over for "
      "good.",
      16);
  phase["enum"] = {"Pending", "Granted", "Denied", "Expired", "Revoking", "Revoked"};
  return {
      {"phase", std::move(phase)},
      {"token", int64("Fencing token of the grant: grows with every grant, so that a store can refuse whoever comes "
                      "with an old one.")},
      {"units", int64("Units granted.")},
      {"grantedAt", date_time("When it was granted, by the API server's clock.")},
      {"ttl", text("The ttl in effect for this grant.", 32)},
      {"grace", text("How long it may still hold since it was told to stop (phase Revoking).", 32)},
      {"endedAt", date_time("When it was denied, expired or was revoked, by the API server's clock.")},
      {"primitiveUID",
       text("UID of the primitive that may grant this. The operator sets it before a first grant on claims that could "
            "have asked a deleted primitive of the same name.",
            64)},
      {"outcome", text("What the holder reported when it was done.", 256)},
      {"conditions", conditions()}};
}

}  // namespace konductor::host
