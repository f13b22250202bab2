#pragma once

#include <konductor/plugin.h>

#include <string_view>

/// A kind of invented words that tests bend: all of it valid as it is.
namespace konductor::host::testing {

inline konductor_str str(std::string_view text) {
  return {text.data(), text.size()};
}

struct Lamp {
  konductor_field fields[2] = {{str("spec.colour"), KONDUCTOR_STRING, 0}, {str("spec.watts"), KONDUCTOR_INTEGER, 0}};
  konductor_rule rules[1] = {{KONDUCTOR_OF_PRIMITIVE, 0, str("self.spec.bulbs < 100"), str("a lamp has few bulbs")}};
  konductor_column columns[1] = {
      {KONDUCTOR_OF_PRIMITIVE, 0, str("BULBS"), str("integer"), str(".spec.bulbs"), str("How many bulbs")}};
  konductor_flag flags[1] = {
      {str("watts"), str("N"), str("how bright"), str("spec.watts"), KONDUCTOR_INTEGER, 0, 1, 60}};
  konductor_fixed fixed[1] = {{str("spec.colour"), str("\"red\"")}};
  konductor_command command = {
      sizeof(konductor_command), KONDUCTOR_ACQUIRE, str("light"), str("Light a bulb"), flags, 1, fixed, 1};
  const konductor_command* commands[1] = {&command};
  konductor_kind kind = {
      .struct_size = sizeof(konductor_kind),
      .mode = KONDUCTOR_MODE_GRANTED,
      .claim_lifetime = KONDUCTOR_WITH_POD,
      .reserved = 0,
      .description = str("A Lamp has bulbs."),
      .claim_description = str("A Switch asks for bulbs of a Lamp."),
      .names = {str("Lamp"), str("lamps"), str("lamp"), str("lmp")},
      .claim = {str("Switch"), str("switches"), str("switch"), {}},
      .spec_schema =
          str(R"({"properties": {"bulbs": {"type": "integer", "description": "How many."}}, "required": ["bulbs"]})"),
      .status_schema = str(R"({"properties": {"lit": {"type": "integer", "description": "How many are lit."}}})"),
      .claim_spec_schema = str(R"({"properties": {
        "colour": {"type": "string", "maxLength": 16, "description": "Which colour."},
        "watts": {"type": "integer", "description": "How bright."}}})"),
      .claim_status_schema = {},
      .primitive_field = str("lamp"),
      .units_field = str("bulbs"),
      .claim_fields = fields,
      .claim_field_count = 2,
      .rules = rules,
      .rule_count = 1,
      .columns = columns,
      .column_count = 1,
      .commands = commands,
      .command_count = 1,
      .decide = [](const konductor_input*, const konductor_sink*) noexcept -> std::int32_t { return 0; },
      .observes = nullptr,
      .observe_count = 0,
      .scale_spec_path = {},
      .scale_status_path = {},
      .participant_field = {},
      .wait = nullptr};

  /// The same words for a kind that counts: so many switches have to be there, each for one colour, and in rounds.
  struct Counted;

  Lamp() = default;
  Lamp(const Lamp&) = delete;  // the members point to each other
  Lamp& operator=(const Lamp&) = delete;
};

struct Lamp::Counted : Lamp {
  konductor_wait wait = {sizeof(konductor_wait), 0, str("Lit"), str("Burnt"), str("again"), str("watts"),
                         str("evening")};
  Counted() {
    kind.mode = KONDUCTOR_MODE_COUNTED;
    kind.claim_lifetime = KONDUCTOR_WITH_PRIMITIVE;
    kind.units_field = {};
    kind.spec_schema = str(R"({"properties": {
        "bulbs": {"type": "integer", "description": "How many."},
        "again": {"type": "boolean", "description": "Whether it may be lit again."}}})");
    kind.status_schema = str(R"({"properties": {
        "phase": {"type": "string", "enum": ["Dark", "Lit", "Burnt"], "description": "How it is."},
        "evening": {"type": "integer", "description": "The evening that it was lit for last."}}})");
    kind.participant_field = str("colour");
    kind.wait = &wait;
    command.action = KONDUCTOR_JOIN;
  }
};

}  // namespace konductor::host::testing
