#include "vtable.hpp"

#include <konductor/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

namespace konductor::plugin_test {
namespace {

using plugin::view;

plugin::Answer decide_nothing(const plugin::Input&, const plugin::Sink&) {
  return plugin::Answer::decided;
}

constexpr konductor_flag flags[] = {
    plugin::required(plugin::integer_flag("count", "N", "how many", "spec.count", 1, 9)),
    plugin::duration_flag("for", "TIME", "how long", "spec.for"),
    plugin::boolean_flag("loud", "with noise", "spec.loud"),
};
constexpr konductor_command commands[] = {plugin::command(KONDUCTOR_ACQUIRE, "take", "Take one", flags),
                                          plugin::command(KONDUCTOR_LIST, "ls", "List")};
constexpr auto command_list = plugin::pointers(commands);
constexpr konductor_kind door = plugin::Kind(KONDUCTOR_MODE_COUNTED)
                                    .primitive(plugin::names("Door", "doors", "door"), "A door.")
                                    .claim(plugin::names("Key", "keys", "key", "k"), "A key.")
                                    .claims_live(KONDUCTOR_WITH_PRIMITIVE)
                                    .commands(command_list)
                                    .decided_by<decide_nothing>();

// What these say, the compiler knows: nothing of it is made when a library is opened.
static_assert(door.struct_size == sizeof(konductor_kind) && door.mode == KONDUCTOR_MODE_COUNTED);
static_assert(door.claim_lifetime == KONDUCTOR_WITH_PRIMITIVE && view(door.claim.short_name) == "k");
static_assert(door.names.short_name.size == 0 && door.units_field.size == 0 && door.rule_count == 0);
static_assert(door.command_count == 2 && view(door.commands[1]->verb) == "ls");
static_assert(door.commands[0]->flag_count == 3 && door.commands[0]->flags[0].required == 1);
static_assert(door.commands[0]->flags[1].type == KONDUCTOR_DURATION && door.commands[1]->flags == nullptr);
static_assert(door.decide == plugin::guarded<decide_nothing>);

class DeclaredKind : public testing::TestWithParam<const char*> {
 protected:
  const konductor_plugin& plugin_ = load(GetParam());
  const konductor_kind& kind_ = *plugin_.kinds[0];
};
INSTANTIATE_TEST_SUITE_P(, DeclaredKind, testing::Values(BARRIER_SO, SEMAPHORE_SO, RWLOCK_SO, TOKEN_BUCKET_SO),
                         [](const auto& test) {
                           std::string name = test.param;
                           name = name.substr(name.rfind('/') + 1);
                           name = name.substr(0, name.find('.'));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(DeclaredKind, states_the_abi_and_itself) {
  EXPECT_EQ(plugin_.struct_size, sizeof(konductor_plugin));
  EXPECT_EQ(plugin_.abi_major, static_cast<std::uint32_t>(KONDUCTOR_ABI_MAJOR));
  EXPECT_EQ(plugin_.min_host_minor, 0U);
  EXPECT_THAT(GetParam(), testing::HasSubstr(std::string(view(plugin_.name)) + ".so"));
  EXPECT_EQ(plugin_.kind_count, 1U);
  const bool counted = kind_.mode == KONDUCTOR_MODE_COUNTED;
  EXPECT_TRUE(counted || kind_.mode == KONDUCTOR_MODE_GRANTED);
  EXPECT_EQ(kind_.claim_lifetime, counted ? KONDUCTOR_WITH_PRIMITIVE : KONDUCTOR_WITH_POD);
}

TEST_P(DeclaredKind, has_schemas_with_a_description_and_a_type_on_every_field) {
  for (const konductor_str schema :
       {kind_.spec_schema, kind_.status_schema, kind_.claim_spec_schema, kind_.claim_status_schema}) {
    if (schema.size == 0) continue;
    const auto json = nlohmann::json::parse(view(schema));
    ASSERT_TRUE(json.at("properties").is_object());
    for (const auto& [name, property] : json.at("properties").items()) {
      EXPECT_FALSE(property.at("description").get<std::string>().empty()) << name;
      EXPECT_TRUE(property.contains("type")) << name;
    }
    for (const auto& name : json.value("required", nlohmann::json::array())) {
      EXPECT_TRUE(json.at("properties").contains(name.get<std::string>())) << name;
    }
  }
}

bool declared(konductor_str schema, std::string_view member) {
  return schema.size > 0 && nlohmann::json::parse(view(schema)).at("properties").contains(std::string(member));
}

TEST_P(DeclaredKind, binds_flags_and_fields_to_declared_members) {
  const auto known_of_claim = [this](std::string_view path) {
    const std::string_view member = path.substr(std::string_view("spec.").size());
    return member == view(kind_.units_field) || declared(kind_.claim_spec_schema, member);
  };
  for (std::size_t i = 0; i < kind_.claim_field_count; ++i)
    EXPECT_TRUE(known_of_claim(view(kind_.claim_fields[i].path)));
  std::set<std::string_view> verbs;
  for (std::size_t i = 0; i < kind_.command_count; ++i) {
    const konductor_command& command = *kind_.commands[i];
    EXPECT_EQ(command.struct_size, sizeof(command));
    EXPECT_TRUE(verbs.insert(view(command.verb)).second) << view(command.verb) << " twice";
    EXPECT_FALSE(view(command.summary).empty());
    const bool of_primitive = command.action == KONDUCTOR_CREATE || command.action == KONDUCTOR_SET;
    for (std::size_t j = 0; j < command.flag_count; ++j) {
      const std::string_view path = view(command.flags[j].path);
      EXPECT_TRUE(of_primitive ? declared(kind_.spec_schema, path.substr(5)) : known_of_claim(path)) << path;
      EXPECT_LE(command.flags[j].minimum, command.flags[j].maximum);
    }
    for (std::size_t j = 0; j < command.fixed_count; ++j) {
      EXPECT_TRUE(known_of_claim(view(command.fixed[j].path)));
      EXPECT_TRUE(nlohmann::json::accept(view(command.fixed[j].json)));
    }
  }
}

TEST_P(DeclaredKind, prints_columns_that_people_can_read) {
  ASSERT_GT(kind_.column_count, 0U);
  for (std::size_t i = 0; i < kind_.column_count; ++i) {
    const konductor_column& column = kind_.columns[i];
    EXPECT_TRUE(view(column.type) == "integer" || view(column.type) == "string") << view(column.name);
    EXPECT_EQ(view(column.json_path).substr(0, 1), ".");
    EXPECT_FALSE(view(column.description).empty());
    for (const char letter : view(column.name))
      EXPECT_TRUE(std::isupper(static_cast<unsigned char>(letter)) != 0 || letter == '-');
  }
}

}  // namespace
}  // namespace konductor::plugin_test
