#include "host/declarations.hpp"

#include "lamp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

namespace konductor::host {
namespace {

using ::testing::HasSubstr;
using testing::Lamp;
using testing::str;

const MonoClock still = [] { return runtime::MonoTime{}; };

TEST(Declarations, copies_a_valid_kind) {
  Lamp lamp;
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_TRUE(kind) << kind.error().detail;
  EXPECT_EQ(kind->mode, runtime::Mode::granted);
  EXPECT_EQ(kind->names.plural, "lamps");
  EXPECT_EQ(kind->claim.singular, "switch");
  EXPECT_EQ(kind->units_field, "bulbs");
  ASSERT_EQ(kind->claim_fields.size(), 2U);
  EXPECT_EQ(kind->claim_fields[1].type, runtime::ValueType::integer);
  ASSERT_EQ(kind->commands.size(), 1U);
  EXPECT_EQ(kind->commands[0].action, runtime::Action::acquire);
  EXPECT_EQ(kind->commands[0].flags[0].maximum, 60);
  EXPECT_EQ(kind->commands[0].fixed[0].json, "\"red\"");
  EXPECT_TRUE(kind->decide(runtime::Observation{}));
}

TEST(Declarations, leaves_out_commands_whose_action_it_does_not_know) {
  Lamp lamp;
  lamp.command.action = 99;
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_TRUE(kind) << kind.error().detail;
  EXPECT_TRUE(kind->commands.empty());
}

TEST(Declarations, takes_flags_without_bounds_where_both_are_zero) {
  Lamp lamp;
  lamp.flags[0].minimum = lamp.flags[0].maximum = 0;
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_TRUE(kind) << kind.error().detail;
  EXPECT_EQ(kind->commands[0].flags[0].maximum, std::numeric_limits<std::int64_t>::max());
}

TEST(Declarations, accepts_a_kind_without_claims) {
  Lamp lamp;
  lamp.kind.mode = KONDUCTOR_MODE_OBSERVED;
  lamp.kind.claim_lifetime = 0;
  lamp.kind.claim = {};
  lamp.kind.claim_spec_schema = {};
  lamp.kind.claim_field_count = 0;
  lamp.kind.command_count = 0;
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  EXPECT_TRUE(kind) << kind.error().detail;
}

TEST(Declarations, take_a_scale_of_two_integers) {
  Lamp lamp;
  EXPECT_FALSE(declare_kind(lamp.kind, "plugin lamps", still)->scales());
  lamp.kind.scale_spec_path = str("spec.bulbs");
  lamp.kind.scale_status_path = str("status.lit");
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_TRUE(kind) << kind.error().detail;
  EXPECT_TRUE(kind->scales());
  EXPECT_EQ(kind->scale.spec, "spec.bulbs");
  EXPECT_EQ(kind->scale.status, "status.lit");
}

TEST(Declarations, take_no_scale_from_a_plugin_that_was_built_before_there_was_one) {
  Lamp lamp;
  lamp.kind.scale_spec_path = str("garbage");
  lamp.kind.struct_size = offsetof(konductor_kind, scale_spec_path);
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_TRUE(kind) << kind.error().detail;
  EXPECT_FALSE(kind->scales());
}

struct Breach {
  const char* name;
  std::function<void(Lamp&)> bend;
  const char* reason;
};
void PrintTo(const Breach& breach, std::ostream* out) {
  *out << breach.name;
}

class BentDeclaration : public ::testing::TestWithParam<Breach> {};

TEST_P(BentDeclaration, is_refused_with_plugin_kind_and_member) {
  Lamp lamp;
  GetParam().bend(lamp);
  const auto kind = declare_kind(lamp.kind, "plugin lamps", still);
  ASSERT_FALSE(kind);
  EXPECT_EQ(kind.error().code, Errc::plugin_incompatible);
  EXPECT_THAT(kind.error().detail, HasSubstr("plugin lamps: kind"));
  EXPECT_THAT(kind.error().detail, HasSubstr(GetParam().reason));
}

void scale(Lamp& lamp, const char* spec_path, const char* status_path) {
  lamp.kind.scale_spec_path = str(spec_path);
  lamp.kind.scale_status_path = str(status_path);
}

const Breach breaches[] = {
    {"small_struct", [](Lamp& l) { l.kind.struct_size = 32; }, "struct_size 32 is too small"},
    {"no_size", [](Lamp& l) { l.kind.struct_size = 0; }, "struct_size 0 is too small"},
    {"mode", [](Lamp& l) { l.kind.mode = 9; }, "mode: this host does not know mode 9"},
    {"lifetime", [](Lamp& l) { l.kind.claim_lifetime = 7; }, "claim_lifetime: this host does not know 7"},
    {"decide", [](Lamp& l) { l.kind.decide = nullptr; }, "decide: is a null pointer"},
    {"null_text", [](Lamp& l) { l.kind.description = {nullptr, 5}; }, "description: is a null pointer"},
    {"long_text", [](Lamp& l) { l.kind.description.size = std::size_t{1} << 40U; }, "more than 262144"},
    {"not_text", [](Lamp& l) { l.kind.description = str("\xff\xfe"); }, "description: is not UTF-8"},
    {"no_description", [](Lamp& l) { l.kind.description = {}; }, "description: is missing"},
    {"kind_word", [](Lamp& l) { l.kind.names.kind = str("lamp"); }, "names.kind: \"lamp\" is not a CamelCase"},
    {"plural", [](Lamp& l) { l.kind.names.plural = str("Lamps"); }, "names.plural: \"Lamps\""},
    {"singular", [](Lamp& l) { l.kind.claim.singular = str("9x"); }, "claim.singular: \"9x\""},
    {"short_name", [](Lamp& l) { l.kind.names.short_name = str("l p"); }, "names.short_name: \"l p\""},
    {"same_names", [](Lamp& l) { l.kind.claim.plural = str("lamps"); }, "claim: shares the name \"lamps\""},
    {"claim_missing", [](Lamp& l) { l.kind.claim = {}; }, "claim.kind: \"\""},
    {"observed_claim", [](Lamp& l) { l.kind.mode = KONDUCTOR_MODE_OBSERVED; }, "has no claims"},
    {"primitive_field", [](Lamp& l) { l.kind.primitive_field = {}; }, "primitive_field: \"\""},
    {"units_field", [](Lamp& l) { l.kind.units_field = str("priority"); }, "units_field: \"priority\" is the host's"},
    {"schema_syntax", [](Lamp& l) { l.kind.spec_schema = str("{\"properties\": "); }, "spec_schema is not JSON"},
    {"schema_list", [](Lamp& l) { l.kind.spec_schema = str("[]"); }, "spec_schema is JSON of type array"},
    {"schema_member", [](Lamp& l) { l.kind.spec_schema = str("{\"type\": \"object\"}"); }, "has the member \"type\""},
    {"schema_type", [](Lamp& l) { l.kind.spec_schema = str(R"({"properties": {"a": {"description": "x"}}})"); },
     "spec_schema.a: the type is missing"},
    {"schema_words", [](Lamp& l) { l.kind.spec_schema = str(R"({"properties": {"a": {"type": "string"}}})"); },
     "spec_schema.a: the description is missing"},
    {"schema_inner",
     [](Lamp& l) {
       l.kind.spec_schema =
           str(R"({"properties": {"a": {"type": "array", "description": "x", "items": {"type": "string"}}}})");
     },
     "spec_schema.a[]: the description is missing"},
    {"schema_required", [](Lamp& l) { l.kind.spec_schema = str(R"({"required": ["gone"]})"); },
     "required names \"gone\""},
    {"host_field_ttl",
     [](Lamp& l) { l.kind.spec_schema = str(R"({"properties": {"ttl": {"type": "string", "description": "x"}}})"); },
     "spec_schema.ttl: this field is the host's own"},
    {"host_field_ledger",
     [](Lamp& l) {
       l.kind.status_schema = str(R"({"properties": {"ledger": {"type": "string", "description": "x"}}})");
     },
     "status_schema.ledger: this field is the host's own"},
    {"host_field_units",
     [](Lamp& l) {
       l.kind.claim_spec_schema = str(R"({"properties": {"bulbs": {"type": "string", "description": "x"}}})");
     },
     "claim_spec_schema.bulbs: this field is the host's own"},
    {"null_field",
     [](Lamp& l) {
       l.kind.claim_spec_schema =
           str(R"({"properties": {"tint": {"type": "string", "description": "x", "nullable": true}}})");
     },
     "claim_spec_schema.tint: nullable is not allowed in a claim's spec"},
    {"null_inside",
     [](Lamp& l) {
       l.kind.claim_spec_schema =
           str(R"({"properties": {"tints": {"type": "array", "description": "x", "items": {"type": "object",
               "description": "x", "properties": {"name": {"type": "string", "description": "x", "nullable": true}}}}}})");
     },
     "claim_spec_schema.tints[].name: nullable is not allowed in a claim's spec"},
    {"field_type", [](Lamp& l) { l.fields[0].type = 17; }, "claim_fields[0].type: 17 is no known type"},
    {"field_path", [](Lamp& l) { l.fields[1].path = str("spec.wats"); }, "has no field \"spec.wats\""},
    {"field_form", [](Lamp& l) { l.fields[1].path = str("spec..watts"); }, "has no field \"spec..watts\""},
    {"field_count", [](Lamp& l) { l.kind.claim_field_count = 257; }, "claim_fields: has 257 items, more than 256"},
    {"null_list", [](Lamp& l) { l.kind.rules = nullptr; }, "rules: is a null pointer, but should have 1 items"},
    {"rule_place", [](Lamp& l) { l.rules[0].place = 3; }, "rules[0].place: 3 is no known place"},
    {"rule_message", [](Lamp& l) { l.rules[0].message = {}; }, "rules[0].message: must be one line"},
    {"column_type", [](Lamp& l) { l.columns[0].type = str("int"); }, "columns[0].type: \"int\""},
    {"column_path", [](Lamp& l) { l.columns[0].json_path = str("spec"); }, "columns[0].json_path: \"spec\""},
    {"null_command", [](Lamp& l) { l.commands[0] = nullptr; }, "commands[0]: is a null pointer"},
    {"small_command", [](Lamp& l) { l.command.struct_size = 16; }, "commands[0].struct_size: 16 is too small"},
    {"verb", [](Lamp& l) { l.command.verb = str("Light It"); }, "the verb is not a lower-case word"},
    {"summary", [](Lamp& l) { l.command.summary = {}; }, "command \"light\": the summary must be one line"},
    {"flag_of_host", [](Lamp& l) { l.flags[0].name = str("timeout"); }, "--timeout is the host's own"},
    {"flag_bounds", [](Lamp& l) { l.flags[0].minimum = 61; }, "flags[0].minimum: is above the maximum"},
    {"observed_plural",
     [](Lamp& l) {
       static const konductor_observes bulbs[] = {{str("batch"), str("Bulb s")}};
       l.kind.observes = bulbs;
       l.kind.observe_count = 1;
     },
     "observes[0]: \"Bulb s\" is no plural"},
    {"observed_group",
     [](Lamp& l) {
       static const konductor_observes bulbs[] = {{str("Batch/v1"), str("bulbs")}};
       l.kind.observes = bulbs;
       l.kind.observe_count = 1;
     },
     "observes[0]: \"Batch/v1\" is no API group"},
    {"scale_half", [](Lamp& l) { l.kind.scale_spec_path = str("spec.bulbs"); },
     "scale_status_path: \"\" is no path that begins with status."},
    {"scale_other_half", [](Lamp& l) { l.kind.scale_status_path = str("status.lit"); },
     "scale_spec_path: \"\" is no path that begins with spec."},
    {"scale_swapped", [](Lamp& l) { scale(l, "status.lit", "spec.bulbs"); },
     "scale_spec_path: \"status.lit\" is no path"},
    {"scale_json_path", [](Lamp& l) { scale(l, ".spec.bulbs", "status.lit"); }, "\".spec.bulbs\" is no path"},
    {"scale_unknown", [](Lamp& l) { scale(l, "spec.bulb", "status.lit"); },
     "\"spec.bulb\" is no integer of the schema"},
    {"scale_text", [](Lamp& l) { scale(l, "spec.ttl", "status.lit"); }, "\"spec.ttl\" is no integer of the schema"},
    {"scale_open", [](Lamp& l) { scale(l, "spec.bulbs", "status.state.lit"); },
     "scale_status_path: \"status.state.lit\""},
    {"scale_selector",
     [](Lamp& l) {
       scale(l, "spec.bulbs", "status.lit");
       l.kind.status_schema = str(R"({"properties": {"lit": {"type": "integer", "description": "x"},
         "selector": {"type": "string", "description": "x"}}})");
     },
     "status_schema.selector: this field is the host's own"},
    {"fixed_json", [](Lamp& l) { l.fixed[0].json = str("red"); }, "fixed[0].json: is not a JSON value"},
};
INSTANTIATE_TEST_SUITE_P(Declarations, BentDeclaration, ::testing::ValuesIn(breaches),
                         [](const auto& test) { return test.param.name; });

TEST(Declarations, refuses_a_verb_or_a_flag_that_is_there_twice) {
  Lamp lamp;
  const konductor_command* twice[] = {&lamp.command, &lamp.command};
  lamp.kind.commands = twice;
  lamp.kind.command_count = 2;
  EXPECT_THAT(declare_kind(lamp.kind, "p", still).error().detail, HasSubstr("the verb is there twice"));

  Lamp other;
  const konductor_flag flags[] = {other.flags[0], other.flags[0]};
  other.command.flags = flags;
  other.command.flag_count = 2;
  EXPECT_THAT(declare_kind(other.kind, "p", still).error().detail, HasSubstr("--watts is there twice"));
}

struct PluginOfLamps {
  Lamp lamp;
  std::vector<const konductor_kind*> kinds = {&lamp.kind};
  konductor_plugin plugin = {sizeof(konductor_plugin), 1, 0, 0, str("lamps"), str("1.2.3"), kinds.data(), kinds.size()};
  std::string reason() {
    plugin.kinds = kinds.data();
    plugin.kind_count = kinds.size();
    const auto declared = declare_plugin(plugin, still);
    return declared ? "" : declared.error().detail;
  }
};

TEST(Declarations, name_their_plugin_in_every_kind) {
  PluginOfLamps lamps;
  const auto declared = declare_plugin(lamps.plugin, still);
  ASSERT_TRUE(declared) << declared.error().detail;
  EXPECT_EQ(declared->kinds.at(0).plugin_name, "lamps");
  EXPECT_EQ(declared->kinds.at(0).plugin_version, "1.2.3");
}

TEST(Declarations, refuse_a_plugin_as_a_whole_when_its_own_facts_are_wrong) {
  PluginOfLamps null_kind, none, same, unnamed, odd_version, small;
  null_kind.kinds = {nullptr};
  none.kinds = {};
  same.kinds.push_back(&same.lamp.kind);
  unnamed.plugin.name = {};
  odd_version.plugin.version = str("one");
  small.plugin.struct_size = 8;
  EXPECT_THAT(null_kind.reason(), HasSubstr("kinds[0]: is a null pointer"));
  EXPECT_THAT(none.reason(), HasSubstr("kinds: there are none"));
  EXPECT_THAT(same.reason(), HasSubstr("the name \"lamps\" of Lamp is taken by Lamp"));
  EXPECT_THAT(unnamed.reason(), HasSubstr("plugin without a name: name:"));
  EXPECT_THAT(odd_version.reason(), HasSubstr("version: \"one\""));
  EXPECT_THAT(small.reason(), HasSubstr("struct_size 8 is too small"));
}

// As for a plugin built against an older header: what lies beyond its struct_size is never read.
TEST(Declarations, read_nothing_beyond_struct_size) {
  PluginOfLamps lamps;
  std::vector<unsigned char> memory(sizeof(konductor_plugin) + 64, 0xEE);
  lamps.plugin.struct_size = sizeof(konductor_plugin) + 64;  // newer than we are
  std::memcpy(memory.data(), &lamps.plugin, sizeof(konductor_plugin));
  EXPECT_TRUE(declare_plugin(*reinterpret_cast<const konductor_plugin*>(memory.data()), still));

  std::vector<unsigned char> exact(offsetof(konductor_plugin, kinds));  // the sanitizer guards what follows
  lamps.plugin.struct_size = offsetof(konductor_plugin, kinds);
  std::memcpy(exact.data(), &lamps.plugin, exact.size());
  EXPECT_FALSE(declare_plugin(*reinterpret_cast<const konductor_plugin*>(exact.data()), still));
}

}  // namespace
}  // namespace konductor::host
