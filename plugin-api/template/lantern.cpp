// A Lantern gives light to so many Readers at a time. Those who ask for too much light are refused, the others are
// served in their order. Rename, and replace decide by yours.

#include <konductor/json.hpp>
#include <konductor/plugin.hpp>

namespace {

using namespace konductor::plugin;

// Numbers of the claim fields below, for claim.integer() and its like.
constexpr konductor_field claim_fields[] = {field("spec.lux", KONDUCTOR_INTEGER)};
constexpr std::size_t lux = 0;
constexpr std::int64_t brightest = 500;

Answer decide(const Input& input, const Sink& sink) {
  const auto spec = JsonObject::parse(input.spec());
  const auto seats = spec ? spec->integer("seats") : std::nullopt;
  if (!seats || *seats < 0) return Answer::not_understood;

  std::int64_t reading = 0;
  for (const Claim claim : input) reading += claim.holds() ? 1 : 0;

  std::int64_t waiting = 0;
  std::size_t grants = 0;
  for (const Claim claim : input) {
    if (!claim.waits()) continue;
    if (claim.integer(lux).value_or(1) > brightest) {
      sink.deny(claim.index(), "TooBright", "this lantern gives at most 500 lux");
    } else if (reading < *seats && grants < input.max_grants()) {
      sink.grant(claim.index());
      ++grants;
      ++reading;
    } else {
      sink.wait(claim.index(), "Full", "all seats at the lantern are taken");
      ++waiting;
    }
  }

  sink.status(JsonWriter()
                  .string("phase", reading < *seats ? "Free" : "Full")
                  .integer("reading", reading)
                  .integer("waiting", waiting)
                  .text());
  sink.condition("Ready", KONDUCTOR_TRUE, "Lit", "serves readers in the order in which they asked");
  return Answer::decided;
}

constexpr std::string_view spec_schema = R"({"required": ["seats"], "properties": {
  "seats": {"type": "integer", "minimum": 0, "maximum": 1000, "description": "How many may read at once."}}})";
constexpr std::string_view status_schema = R"({"properties": {
  "phase": {"type": "string", "description": "Free or Full."},
  "reading": {"type": "integer", "format": "int64", "description": "How many read."},
  "waiting": {"type": "integer", "format": "int64", "description": "How many wait."}}})";
constexpr std::string_view claim_spec_schema = R"({"properties": {
  "lux": {"type": "integer", "minimum": 1, "default": 100, "description": "How much light is wanted."}}})";

constexpr konductor_column columns[] = {
    column(KONDUCTOR_OF_PRIMITIVE, "SEATS", "integer", ".spec.seats", "How many may read at once"),
    column(KONDUCTOR_OF_PRIMITIVE, "READING", "integer", ".status.reading", "How many read"),
    column(KONDUCTOR_OF_PRIMITIVE, "WAITING", "integer", ".status.waiting", "How many wait"),
    column(KONDUCTOR_OF_PRIMITIVE, "PHASE", "string", ".status.phase", "Free or Full"),
};

constexpr konductor_flag sit_flags[] = {
    integer_flag("lux", "N", "how much light is wanted (default 100)", "spec.lux", 1, brightest),
};
constexpr konductor_command commands[] = {
    command(KONDUCTOR_ACQUIRE, "sit", "Take a seat at a lantern", sit_flags),
    command(KONDUCTOR_RUN, "read", "Hold a seat while a command runs", sit_flags),
    command(KONDUCTOR_RELEASE, "leave", "Leave a seat"),
    command(KONDUCTOR_SHOW, "status", "Show a lantern, who reads and who waits"),
    command(KONDUCTOR_LIST, "list", "List lanterns"),
};
constexpr auto command_list = pointers(commands);

constexpr konductor_kind lantern =
    Kind(KONDUCTOR_MODE_GRANTED)
        .primitive(names("Lantern", "lanterns", "lantern", "lan"),
                   "A Lantern gives light to so many Readers at a time.")
        .claim(names("Reader", "readers", "reader"), "A Reader asks for a seat at a Lantern.")
        .primitive_field("lantern")
        .spec(spec_schema)
        .status(status_schema)
        .claim_spec(claim_spec_schema)
        .claim_fields(claim_fields)
        .columns(columns)
        .commands(command_list)
        .decided_by<decide>();

}  // namespace

KONDUCTOR_PLUGIN("lantern", "1.0.0", 0, &lantern);
