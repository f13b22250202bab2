#include "barrier/codec.hpp"
#include "barrier/decide.hpp"

#include <konductor/plugin.hpp>

#include <vector>

namespace konductor::barrier {
namespace {

using namespace konductor::plugin;

constexpr konductor_column columns[] = {
    column(KONDUCTOR_OF_PRIMITIVE, "ARRIVED", "string", ".status.progress", "How many of how many have arrived"),
    column(KONDUCTOR_OF_PRIMITIVE, "PHASE", "string", ".status.phase", "Waiting, Open or Failed"),
    column(KONDUCTOR_OF_PRIMITIVE, "DEADLINE", "string", ".status.deadline", "When the timeout is over"),
    column(KONDUCTOR_OF_PRIMITIVE, "ROUND", "integer", ".status.round", "The round that is counted", 1),
    column(KONDUCTOR_OF_PRIMITIVE, "MISSING", "string", ".status.missing", "Who has not arrived, where known", 1),
    column(KONDUCTOR_OF_CLAIM, "BARRIER", "string", ".spec.barrier", "The Barrier that it is of"),
    column(KONDUCTOR_OF_CLAIM, "PARTICIPANT", "string", ".spec.participant", "Who it says has arrived"),
    column(KONDUCTOR_OF_CLAIM, "ROUND", "integer", ".spec.round", "The round that it is for"),
    column(KONDUCTOR_OF_CLAIM, "POD", "string", ".spec.pod.name", "The Pod that arrived", 1),
    column(KONDUCTOR_OF_CLAIM, "FOUND", "string", ".status.participant", "Who that Pod was found to be", 1),
};

constexpr konductor_flag round_flag =
    integer_flag("round", "N", "the round, of a reusable barrier (and only there)", "spec.round", 1, most_round);
constexpr konductor_flag arrive_flags[] = {
    string_flag("participant", "TEXT", "who arrives, in place of the Pod's Job and index", "spec.participant"),
    round_flag};
constexpr konductor_flag wait_flags[] = {round_flag};
constexpr konductor_flag set_flags[] = {
    integer_flag("expected", "N", "how many participants have to arrive", "spec.expected", 1, most_expected),
    duration_flag("timeout", "DURATION", "give up, as Failed, so long after the first arrival of a round",
                  "spec.timeout", shortest_timeout, longest_timeout),
    integer_flag("quorum", "N", "how many of the expected are enough", "spec.quorum", 1, most_expected),
    string_flag("quorum-policy", "POLICY", "when the quorum opens it: Immediate (default) or AtTimeout",
                "spec.quorumPolicy")};
constexpr konductor_flag create_flags[] = {
    required(set_flags[0]), set_flags[1], set_flags[2], set_flags[3],
    boolean_flag("reusable", "open again and again, in rounds; cannot be changed later", "spec.reusable")};
constexpr konductor_command commands[] = {
    command(KONDUCTOR_JOIN, "arrive", "Arrive at a barrier; with --wait also wait until it opens", arrive_flags),
    command(KONDUCTOR_WAIT_FOR_PHASE, "wait", "Wait until a barrier opens, without arriving", wait_flags),
    command(KONDUCTOR_SHOW, "status", "Show a barrier, who has arrived and who is missing"),
    command(KONDUCTOR_LIST, "list", "List barriers"),
    command(KONDUCTOR_CREATE, "create", "Create a barrier", create_flags),
    command(KONDUCTOR_SET, "set", "Change a barrier, such as how many are expected", set_flags),
    command(KONDUCTOR_DELETE, "delete", "Delete a barrier, and all arrivals at it"),
};
constexpr auto command_list = pointers(commands);
constexpr konductor_wait opens = in_rounds(wait_for("Open", "Failed"), "reusable", "round", "openedRound");

constexpr std::string_view spec_schema = R"json({
  "required": ["expected"],
  "properties": {
    "expected": {"type": "integer", "format": "int32",
      "x-kubernetes-validations": [{"rule": "self >= 1 && self <= 10000", "message": "expected is how many participants have to arrive: 1 to 10000"}],
      "description": "How many participants have to arrive before this opens, 1 to 10000. Can be changed while it waits."},
    "timeout": {"type": "string", "maxLength": 32,
      "x-kubernetes-validations": [{
        "rule": "self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('8760h')",
        "message": "timeout is a duration from 1s to 8760h, such as 90s, 30m or 1h30m; leave it out to wait without end"}],
      "description": "How long after the first arrival of a round this gives up, as Failed, unless enough have arrived by then. No bound if absent. Can be changed while it waits."},
    "quorum": {"type": "integer", "format": "int32",
      "x-kubernetes-validations": [{"rule": "self >= 1", "message": "quorum is how many participants are enough: 1 to expected"}],
      "description": "How many of the expected participants are enough; all of them if absent. Can be changed while it waits."},
    "quorumPolicy": {"type": "string", "enum": ["Immediate", "AtTimeout"],
      "description": "When the quorum opens this. Immediate, which is meant if absent: as soon as it is reached. AtTimeout: when the timeout is over, so that all have that time; opens before if all expected arrive."},
    "reusable": {"type": "boolean",
      "description": "Whether this opens again and again, in rounds counted from 1; each Arrival then names its round. Once if absent. Cannot be changed."}}})json";

constexpr std::string_view status_schema = R"({
  "properties": {
    "phase": {"type": "string", "description": "Waiting: not enough have arrived. Open: all who wait may go on; stays so, in a reusable one until somebody arrives for the next round. Failed: the timeout was over before; stays so."},
    "arrived": {"type": "integer", "format": "int32", "description": "How many participants of the round have arrived in time, each counted once."},
    "progress": {"type": "string", "description": "Arrived and expected, as 7/10."},
    "round": {"type": "integer", "format": "int32", "description": "The round that is counted or, in phase Open, was the last to open; 1 unless this is reusable."},
    "openedRound": {"type": "integer", "format": "int32", "description": "The last round that opened; 0 before any has. Who waits for a round goes on once this is as high."},
    "deadline": {"type": "string", "format": "date-time", "description": "When the timeout of the round is over; absent before its first arrival, and once it is open or failed."},
    "missing": {"type": "string", "description": "Participants that have not arrived, as 3, 7; only where all who have are numbered from 0."}}})";

constexpr std::string_view arrival_schema = R"json({
  "properties": {
    "participant": {"type": "string", "minLength": 1, "maxLength": 253,
      "x-kubernetes-validations": [{"rule": "self.matches('^[^\\\\s](.*[^\\\\s])?$')", "message": "participant is one line of text without blanks at its ends"}],
      "description": "Who arrives; whoever else arrives with the same text is counted as the same. If absent: the index within the Job of the Pod, else that Job, if it has one completion, else the Pod; without a Pod this object alone."},
    "round": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 2147483647,
      "description": "The round that this is for; required where the Barrier is reusable."}}})json";

constexpr konductor_rule rules[] = {
    rule(KONDUCTOR_OF_PRIMITIVE, "!has(self.spec.quorum) || self.spec.quorum <= self.spec.expected",
         "quorum is at most expected: it says how many of the expected participants are enough"),
    rule(KONDUCTOR_OF_PRIMITIVE,
         "!has(self.spec.quorumPolicy) || self.spec.quorumPolicy != 'AtTimeout' || (has(self.spec.quorum) && "
         "has(self.spec.timeout))",
         "quorumPolicy AtTimeout needs both a quorum and the timeout at which it is enough"),
    rule(KONDUCTOR_OF_PRIMITIVE,
         "(has(self.spec.reusable) && self.spec.reusable) == (has(oldSelf.spec.reusable) && oldSelf.spec.reusable)",
         "reusable cannot be changed: delete this Barrier and create it anew"),
};

constexpr konductor_field claim_fields[] = {field("spec.round", KONDUCTOR_INTEGER)};
constexpr std::size_t round_field = 0;

void show(const Decision& decision, const Sink& sink) {
  const std::string& reason = decision.stands.reason;
  const std::string& message = decision.stands.message;
  const Phase phase = decision.state.phase();
  const bool failed = phase == Phase::failed;
  sink.status(status_json(decision.state, decision.stands, decision.deadline));
  sink.condition("Open", phase == Phase::open ? KONDUCTOR_TRUE : KONDUCTOR_FALSE, reason, message);
  sink.condition("Failed", failed ? KONDUCTOR_TRUE : KONDUCTOR_FALSE, failed ? reason : "NotFailed",
                 failed ? message : "no timeout was over before enough had arrived");
  sink.condition("Ready", failed ? KONDUCTOR_FALSE : KONDUCTOR_TRUE, failed ? reason : "Counting",
                 failed ? message : "counts who arrives");
  if (!decision.opened.empty()) sink.event(KONDUCTOR_EVENT_NORMAL, "Opened", decision.opened);
}

Answer decide_barrier(const Input& input, const Sink& sink) {
  const auto spec = parse_spec(input.spec());
  const auto state = parse_state(input.state());
  if (!spec || !state) return Answer::not_understood;

  std::vector<ArrivalIn> arrivals;
  arrivals.reserve(input.size());
  for (const Claim claim : input) {
    const std::string_view participant = claim.participant();
    arrivals.push_back(
        {participant.empty() ? claim.uid() : participant, claim.created(), claim.integer(round_field), claim.waits()});
  }

  const Decision decision = decide(*spec, *state, arrivals, input.now());
  for (const Denial& denial : decision.denials) sink.deny(denial.claim, denial.reason, denial.message);
  for (const std::size_t arrival : decision.discards) sink.discard(arrival);
  if (decision.deadline) sink.look_again_at(*decision.deadline);
  if (decision.state != *state) sink.state(to_json(decision.state));
  show(decision, sink);
  return Answer::decided;
}

constexpr konductor_kind barrier =
    Kind(KONDUCTOR_MODE_COUNTED)
        .primitive(names("Barrier", "barriers", "barrier", "bar"),
                   "A Barrier opens when so many participants have arrived, and lets all go on who wait for that.")
        .claim(names("Arrival", "arrivals", "arrival", "arr"),
               "An Arrival says that a participant has reached a Barrier. It stays when its Pod ends.")
        .primitive_field("barrier")
        .participant_field("participant")
        .claims_live(KONDUCTOR_WITH_PRIMITIVE)
        .spec(spec_schema)
        .status(status_schema)
        .claim_spec(arrival_schema)
        .claim_fields(claim_fields)
        .rules(rules)
        .columns(columns)
        .commands(command_list)
        .waits(opens)
        .decided_by<decide_barrier>();

}  // namespace
}  // namespace konductor::barrier

KONDUCTOR_PLUGIN("barrier", "0.1.0", 0, &konductor::barrier::barrier);
