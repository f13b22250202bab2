#include "semaphore/codec.hpp"
#include "semaphore/decide.hpp"

#include <konductor/plugin.hpp>

#include <vector>

namespace konductor::semaphore {
namespace {

using namespace konductor::plugin;

constexpr konductor_column columns[] = {
    column(KONDUCTOR_OF_PRIMITIVE, "PERMITS", "integer", ".spec.permits", "The limit"),
    column(KONDUCTOR_OF_PRIMITIVE, "IN-USE", "integer", ".status.inUse", "Permits that are held"),
    column(KONDUCTOR_OF_PRIMITIVE, "AVAILABLE", "integer", ".status.available", "Permits that are free"),
    column(KONDUCTOR_OF_PRIMITIVE, "WAITING", "integer", ".status.waiting", "Claims that wait"),
    column(KONDUCTOR_OF_PRIMITIVE, "PHASE", "string", ".status.phase", "Ready, Paused or Draining"),
    column(KONDUCTOR_OF_PRIMITIVE, "HELD-BY", "string", ".status.holders[0].holder",
           "Who holds permits for the longest", 1),
    column(KONDUCTOR_OF_PRIMITIVE, "AGING", "string", ".spec.priorityAging", "Waiting that raises a priority by 1", 1),
    column(KONDUCTOR_OF_PRIMITIVE, "MAX-PRIORITY", "integer", ".spec.maxPriority", "A priority above it counts as it",
           1),
    column(KONDUCTOR_OF_CLAIM, "SEMAPHORE", "string", ".spec.semaphore", "The Semaphore that it is of"),
    column(KONDUCTOR_OF_CLAIM, "PERMITS", "integer", ".spec.permits", "How many permits it asks for"),
    column(KONDUCTOR_OF_CLAIM, "PHASE", "string", ".status.phase", "Pending, Granted, or how it ended"),
    column(KONDUCTOR_OF_CLAIM, "HOLDER", "string", ".spec.holder", "Whose claim it is"),
    column(KONDUCTOR_OF_CLAIM, "TOKEN", "integer", ".status.token", "Fencing token", 1),
    column(KONDUCTOR_OF_CLAIM, "PRIORITY", "integer", ".spec.priority", "Higher is served first", 1),
};

constexpr konductor_flag claim_flags[] = {
    integer_flag("permits", "N", "how many permits to take (default 1)", "spec.permits", 1, 2147483647),
};
constexpr std::string_view limit_help = "the limit: how many permits may be held at once; 0 pauses";
constexpr konductor_flag limit_flag = integer_flag("permits", "N", limit_help, "spec.permits", 0, most_permits);
constexpr konductor_flag aging_flag =
    duration_flag("priority-aging", "DURATION", "raise the priority of who waits by 1 for each such time",
                  "spec.priorityAging", shortest_aging, longest_aging);
constexpr konductor_flag max_priority_flag =
    integer_flag("max-priority", "N", "the most that a priority counts, before it is raised by waiting",
                 "spec.maxPriority", -most_priority, most_priority);
constexpr konductor_flag create_flags[] = {required(limit_flag), aging_flag, max_priority_flag};
constexpr konductor_flag set_flags[] = {limit_flag, aging_flag, max_priority_flag};

constexpr konductor_command commands[] = {
    command(KONDUCTOR_ACQUIRE, "acquire", "Take permits, and keep them until they are released", claim_flags),
    command(KONDUCTOR_RUN, "run", "Hold permits while a command runs", claim_flags),
    command(KONDUCTOR_HOLD, "hold", "Take permits, and hold them until told to stop", claim_flags),
    command(KONDUCTOR_RENEW, "renew", "Show that the holder of acquired permits is alive"),
    command(KONDUCTOR_RELEASE, "release", "Give acquired permits back"),
    command(KONDUCTOR_SHOW, "status", "Show a semaphore, who holds it and who waits"),
    command(KONDUCTOR_LIST, "list", "List semaphores"),
    command(KONDUCTOR_CREATE, "create", "Create a semaphore", create_flags),
    command(KONDUCTOR_SET, "set", "Change a semaphore, such as its limit", set_flags),
    command(KONDUCTOR_DELETE, "delete", "Delete a semaphore"),
};
constexpr auto command_list = pointers(commands);

constexpr std::string_view spec_schema = R"json({
  "required": ["permits"],
  "properties": {
    "permits": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 1000000,
      "description": "How many permits may be held at once. 0 pauses: nothing is granted, holders keep what they have. Lowering it never takes a permit away; nothing is granted until enough are released."},
    "priorityAging": {"type": "string", "maxLength": 32,
      "x-kubernetes-validations": [{
        "rule": "self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('8760h')",
        "message": "priorityAging is a duration from 1s to 8760h, such as 90s, 10m or 1h30m; without it waiting raises no priority"}],
      "description": "Each such time that a Permit has waited raises its priority by 1, so that nobody waits for ever behind those with higher ones. Off if absent."},
    "maxPriority": {"type": "integer", "format": "int32", "minimum": -1000000, "maximum": 1000000,
      "description": "What the priority of a Permit counts at most, whatever it asks; waiting raises it above this. No bound if absent."}}})json";

constexpr std::string_view status_schema = R"({
  "properties": {
    "phase": {"type": "string", "description": "Ready: serves. Paused: permits is 0. Draining: more is in use than the limit, which was lowered."},
    "permits": {"type": "integer", "format": "int32", "description": "The limit that the operator serves."},
    "inUse": {"type": "integer", "format": "int64", "description": "How many permits are held."},
    "available": {"type": "integer", "format": "int64", "description": "How many permits are free; 0 while more is in use than the limit."},
    "waiting": {"type": "integer", "format": "int64", "description": "How many Permits wait to be granted."}}})";

Answer decide_semaphore(const Input& input, const Sink& sink) {
  const auto spec = parse_spec(input.spec());
  if (!spec) return Answer::not_understood;

  std::vector<ClaimIn> claims;
  claims.reserve(input.size());
  for (const Claim claim : input) {
    claims.push_back({claim.holds(), claim.units(), claim.no_wait(), claim.priority(), claim.created()});
  }

  const Decision decision = decide(*spec, claims, {.max_grants = input.max_grants()}, input.now());
  for (const std::size_t claim : decision.grants) sink.grant(claim);
  for (const Wait& wait : decision.waits) sink.wait(wait.claim, wait.reason, wait.message);
  if (decision.look_again_at) sink.look_again_at(*decision.look_again_at);
  sink.status(to_json(decision.status));
  sink.condition("Ready", KONDUCTOR_TRUE, decision.ready_reason, decision.ready_message);
  return Answer::decided;
}

constexpr konductor_kind semaphore =
    Kind(KONDUCTOR_MODE_GRANTED)
        .primitive(
            names("Semaphore", "semaphores", "semaphore", "sem"),
            "A Semaphore lets at most so many workloads at a time do something: each holds one or more of its permits.")
        .claim(
            names("Permit", "permits", "permit", "pmt"),
            "A Permit asks for permits of a Semaphore, in the name of one workload, and holds them once it is granted.")
        .primitive_field("semaphore")
        .units_field("permits")
        .spec(spec_schema)
        .status(status_schema)
        .scale("spec.permits", "status.permits")
        .columns(columns)
        .commands(command_list)
        .decided_by<decide_semaphore>();

}  // namespace
}  // namespace konductor::semaphore

KONDUCTOR_PLUGIN("semaphore", "0.1.0", 0, &konductor::semaphore::semaphore);
