// Two kinds with invented words in one plugin. A Meeting begins when so many Attendees came, counted by their seats and
// not granted, and stays begun; or it meets in sessions, one after the other; or it is called off. A Beacon has no
// claims: it is lit while a ConfigMap says so.

#include <konductor/json.hpp>
#include <konductor/plugin.hpp>

#include <set>
#include <string>
#include <string_view>

namespace {

using namespace konductor::plugin;

// ---------------------------------------------------------------- Meeting

constexpr std::size_t session = 0;  // of the declared claim fields

/// Who came to one session; says of every other claim why it is not among them.
std::size_t attendees_of(std::int64_t number, bool in_sessions, const Input& input, const Sink& sink) {
  // Who sits on the same seat is the same attendee, however often it came.
  std::set<std::string_view> seats;
  for (const Claim claim : input) {
    const auto named = claim.integer(session);
    if (!claim.waits()) continue;
    if (in_sessions != named.has_value()) {
      sink.deny(claim.index(), in_sessions ? "SessionMissing" : "NoSessions",
                in_sessions ? "this meeting has sessions: say which in spec.session" : "this meeting has no sessions");
    } else if (named.value_or(number) < number) {
      sink.discard(claim.index());
    } else if (named.value_or(number) == number) {
      seats.insert(claim.participant());
    }
  }
  return seats.size();
}

Answer decide_meeting(const Input& input, const Sink& sink) {
  const auto spec = JsonObject::parse(input.spec());
  const auto state = JsonObject::parse(input.state());
  const auto wanted = spec ? spec->integer("wanted") : std::nullopt;
  if (!wanted || !state) return Answer::not_understood;
  const bool in_sessions = spec->boolean("sessions").value_or(false);
  std::int64_t begun_session = state->integer("session").value_or(0);
  bool begun = state->boolean("begun").value_or(false);
  const bool called_off = state->boolean("calledOff").value_or(false) ||
                          (spec->boolean("calledOff").value_or(false) && (in_sessions || !begun));

  const auto present = static_cast<std::int64_t>(attendees_of(begun_session + 1, in_sessions, input, sink));
  const bool enough = !called_off && present >= *wanted;
  if (in_sessions && enough) ++begun_session;
  begun = in_sessions ? begun_session > 0 && (enough || present == 0) : begun || enough;

  if (called_off) {
    sink.state(JsonWriter().boolean("calledOff", true).integer("session", begun_session).text());
  } else if (in_sessions && enough) {
    sink.state(JsonWriter().integer("session", begun_session).text());
  } else if (!in_sessions && begun) {
    sink.state(JsonWriter().boolean("begun", true).text());
  }
  JsonWriter status;
  status.string("phase", called_off ? "CalledOff" : begun ? "Begun" : "Gathering").integer("present", present);
  if (in_sessions) status.integer("begunSession", begun_session);
  sink.status(status.text());
  const std::string count = std::to_string(present) + " of " + std::to_string(*wanted) + " are present";
  sink.condition("Begun", begun && !called_off ? KONDUCTOR_TRUE : KONDUCTOR_FALSE, begun ? "EnoughCame" : "Gathering",
                 count);
  sink.condition("CalledOff", called_off ? KONDUCTOR_TRUE : KONDUCTOR_FALSE, called_off ? "CalledOff" : "AsPlanned",
                 called_off ? "it was called off when " + count : "it takes place");
  sink.condition("Ready", KONDUCTOR_TRUE, "Counting", "counts who came");
  if (begun) sink.event(KONDUCTOR_EVENT_NORMAL, "Begun", "enough have come");
  return Answer::decided;
}

constexpr std::string_view meeting_spec = R"({"required": ["wanted"], "properties": {
  "wanted": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10000, "description": "How many have to come."},
  "sessions": {"type": "boolean", "description": "Whether it meets in sessions, one after the other."},
  "calledOff": {"type": "boolean", "description": "Whether it takes place no more."}}})";
constexpr std::string_view meeting_status = R"({"properties": {
  "phase": {"type": "string", "enum": ["Gathering", "Begun", "CalledOff"],
            "description": "Gathering, then Begun; CalledOff for good."},
  "present": {"type": "integer", "format": "int64", "description": "How many have come."},
  "begunSession": {"type": "integer", "format": "int64", "description": "The last session that has begun."}}})";
constexpr std::string_view attendee_spec = R"({"properties": {
  "seat": {"type": "string", "minLength": 1, "maxLength": 63, "description": "Who sits here counts once."},
  "session": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 2147483647,
              "description": "The session that this came to."}}})";

constexpr konductor_field attendee_fields[] = {field("spec.session", KONDUCTOR_INTEGER)};
constexpr konductor_wait meeting_wait =
    in_rounds(wait_for("Begun", "CalledOff"), "sessions", "session", "begunSession");

constexpr konductor_flag come_flags[] = {
    string_flag("seat", "NAME", "who comes (default: found out by the operator)", "spec.seat"),
    integer_flag("session", "N", "the session, where there are any", "spec.session", 1, 2147483647),
};
constexpr konductor_flag await_flags[] = {
    integer_flag("session", "N", "the session, where there are any", "spec.session", 1, 2147483647),
};
constexpr konductor_command meeting_commands[] = {
    command(KONDUCTOR_JOIN, "come", "Come to a meeting", come_flags),
    command(KONDUCTOR_WAIT_FOR_PHASE, "await", "Wait until a meeting begins", await_flags),
    command(KONDUCTOR_SHOW, "status", "Show a meeting"),
    command(KONDUCTOR_LIST, "list", "List meetings"),
};
constexpr auto meeting_command_list = pointers(meeting_commands);

constexpr konductor_kind meeting =
    Kind(KONDUCTOR_MODE_COUNTED)
        .primitive(names("Meeting", "meetings", "meeting"), "A Meeting begins when so many have come.")
        .claim(names("Attendee", "attendees", "attendee"), "An Attendee came to a Meeting.")
        .primitive_field("meeting")
        .participant_field("seat")
        .claims_live(KONDUCTOR_WITH_PRIMITIVE)
        .claim_fields(attendee_fields)
        .spec(meeting_spec)
        .status(meeting_status)
        .claim_spec(attendee_spec)
        .commands(meeting_command_list)
        .waits(meeting_wait)
        .decided_by<decide_meeting>();

// ---------------------------------------------------------------- Beacon

std::string_view why_dark(const konductor_observed& source) {
  switch (source.state) {
    case KONDUCTOR_PRESENT: return "its ConfigMap does not say so";
    case KONDUCTOR_ABSENT: return "there is no such ConfigMap";
    case KONDUCTOR_FORBIDDEN: return "the operator may not read ConfigMaps";
    default: return "its ConfigMap is not known yet";
  }
}

Answer decide_beacon(const Input& input, const Sink& sink) {
  const auto spec = JsonObject::parse(input.spec());
  const auto source = spec ? spec->string("source") : std::nullopt;
  if (!source) return Answer::not_understood;

  const konductor_str fields[] = {str("data.lit")};
  konductor_need need{};
  need.id = str("source");
  need.version = str("v1");
  need.plural = str("configmaps");
  need.object_name = str(*source);
  need.fields = fields;
  need.field_count = 1;
  sink.need(need);

  bool lit = false;
  std::string_view why = "its ConfigMap is not known yet";
  for (std::size_t i = 0; i < input.observed_count(); ++i) {
    const auto& seen = input.observed(i);
    if (view(seen.object_name) != *source) continue;
    const auto json = JsonObject::parse(view(seen.json));
    lit = seen.state == KONDUCTOR_PRESENT && json && json->string("data.lit") == "yes";
    why = lit ? "its ConfigMap says so" : why_dark(seen);
  }
  sink.status(JsonWriter().string("phase", lit ? "Lit" : "Dark").string("why", why).text());
  sink.condition("Ready", KONDUCTOR_TRUE, "Watching", "follows its ConfigMap");
  return Answer::decided;
}

constexpr std::string_view beacon_spec = R"({"required": ["source"], "properties": {
  "source": {"type": "string", "minLength": 1, "maxLength": 253, "description": "The ConfigMap whose data.lit it follows."}}})";
constexpr std::string_view beacon_status = R"({"properties": {
  "phase": {"type": "string", "description": "Lit or Dark."},
  "why": {"type": "string", "description": "Why it is lit or dark."}}})";

constexpr konductor_observes beacon_observes[] = {observes("", "configmaps")};

constexpr konductor_kind beacon =
    Kind(KONDUCTOR_MODE_OBSERVED)
        .primitive(names("Beacon", "beacons", "beacon"), "A Beacon is lit by a ConfigMap.")
        .spec(beacon_spec)
        .status(beacon_status)
        .observing(beacon_observes)
        .decided_by<decide_beacon>();

}  // namespace

KONDUCTOR_PLUGIN("assembly", "0.1.0", 0, &meeting, &beacon);
