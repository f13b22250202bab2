// Two kinds with invented words in one plugin. A Meeting begins when so many Attendees came, counted and not granted,
// and stays begun. A Beacon has no claims: it is lit while a ConfigMap says so.

#include <konductor/json.hpp>
#include <konductor/plugin.hpp>

#include <set>

namespace {

using namespace konductor::plugin;

// ---------------------------------------------------------------- Meeting

constexpr std::size_t seat = 0;  // of the declared claim fields

Answer decide_meeting(const Input& input, const Sink& sink) {
  const auto spec = JsonObject::parse(input.spec());
  const auto state = JsonObject::parse(input.state());
  const auto wanted = spec ? spec->integer("wanted") : std::nullopt;
  if (!wanted || !state) return Answer::not_understood;

  // Who sits on the same seat is the same attendee, however often it came.
  std::set<std::string, std::less<>> seats;
  for (const Claim claim : input) seats.emplace(claim.string(seat).value_or(claim.uid()));
  const bool begun = state->boolean("begun").value_or(false) || static_cast<std::int64_t>(seats.size()) >= *wanted;

  if (begun) sink.state(JsonWriter().boolean("begun", true).text());
  sink.status(JsonWriter()
                  .string("phase", begun ? "Begun" : "Gathering")
                  .integer("present", static_cast<std::int64_t>(seats.size()))
                  .text());
  sink.condition("Ready", KONDUCTOR_TRUE, "Counting", "counts who came");
  if (begun) sink.event(KONDUCTOR_EVENT_NORMAL, "Begun", "enough have come");
  return Answer::decided;
}

constexpr std::string_view meeting_spec = R"({"required": ["wanted"], "properties": {
  "wanted": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10000, "description": "How many have to come."}}})";
constexpr std::string_view meeting_status = R"({"properties": {
  "phase": {"type": "string", "description": "Gathering, then Begun for good."},
  "present": {"type": "integer", "format": "int64", "description": "How many have come."}}})";
constexpr std::string_view attendee_spec = R"({"properties": {
  "seat": {"type": "string", "maxLength": 63, "description": "Who sits here counts once."}}})";

constexpr konductor_field attendee_fields[] = {field("spec.seat", KONDUCTOR_STRING)};

constexpr konductor_kind meeting =
    Kind(KONDUCTOR_MODE_COUNTED)
        .primitive(names("Meeting", "meetings", "meeting"), "A Meeting begins when so many have come.")
        .claim(names("Attendee", "attendees", "attendee"), "An Attendee came to a Meeting.")
        .primitive_field("meeting")
        .claims_live(KONDUCTOR_WITH_PRIMITIVE)
        .claim_fields(attendee_fields)
        .spec(meeting_spec)
        .status(meeting_status)
        .claim_spec(attendee_spec)
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
