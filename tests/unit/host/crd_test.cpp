#include "host/crd.hpp"

#include "host/declarations.hpp"
#include "lamp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace konductor::host {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

runtime::KindDeclaration lamp() {
  static const testing::Lamp declared;
  return declare_kind(declared.kind, "plugin lamps", [] { return runtime::MonoTime{}; }).value();
}

const json& schema_of(const json& crd) {
  return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
}
json spec_of(const json& crd) {
  return schema_of(crd)["properties"]["spec"]["properties"];
}
json status_of(const json& crd) {
  return schema_of(crd)["properties"]["status"]["properties"];
}

std::vector<std::string> rules_of(const json& schema) {
  std::vector<std::string> rules;
  for (const auto& rule : schema.value("x-kubernetes-validations", json::array())) rules.push_back(rule["rule"]);
  return rules;
}

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

// What a structural schema needs, for every property of every level.
void check_structural(const json& schema, const std::string& path) {
  EXPECT_TRUE(schema.contains("type")) << path;
  if (path == ".metadata") return;  // the API server's own
  EXPECT_FALSE(schema.value("description", "").empty()) << path;
  const auto type = schema.value("type", "");
  const bool open = schema.value("x-kubernetes-preserve-unknown-fields", false);
  if (type == "object") {
    EXPECT_TRUE(open || schema.contains("properties")) << path;
  }
  if (type == "array") {
    EXPECT_TRUE(schema.contains("x-kubernetes-list-type")) << path;
    check_structural(schema["items"], path + "[]");
  }
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, inner] : properties.items()) check_structural(inner, path + "." + name);
}

TEST(Crd, of_primitive_and_claim_are_structural_and_described_throughout) {
  check_structural(schema_of(primitive_crd(lamp())), "");
  check_structural(schema_of(claim_crd(lamp())), "");
}

TEST(Crd, has_the_names_of_its_kind) {
  const auto crd = primitive_crd(lamp());
  EXPECT_EQ(crd["metadata"]["name"], "lamps.sync.konductor.io");
  EXPECT_EQ(crd["spec"]["group"], "sync.konductor.io");
  EXPECT_EQ(crd["spec"]["scope"], "Namespaced");
  EXPECT_EQ(crd["spec"]["names"],
            json::parse(R"({"kind": "Lamp", "listKind": "LampList", "plural": "lamps", "singular": "lamp",
    "shortNames": ["lmp"], "categories": ["konductor"]})"));
  EXPECT_FALSE(claim_crd(lamp())["spec"]["names"].contains("shortNames"));
  const auto& version = crd["spec"]["versions"][0];
  EXPECT_EQ(version["name"], "v1");
  EXPECT_TRUE(version["subresources"].contains("status"));
}

TEST(Crd, of_a_primitive_has_the_hosts_fields_beside_the_plugins) {
  const auto crd = primitive_crd(lamp());
  EXPECT_THAT(keys(spec_of(crd)), ElementsAre("bulbs", "ttl"));
  EXPECT_THAT(keys(status_of(crd)),
              ElementsAre("conditions", "holders", "ledger", "lit", "observedGeneration", "state", "stateTime"));
  EXPECT_EQ(schema_of(crd)["properties"]["spec"]["required"], json({"bulbs"}));
  EXPECT_EQ(status_of(crd)["state"]["x-kubernetes-preserve-unknown-fields"], true);
  const auto ledger = status_of(crd)["ledger"]["properties"];
  EXPECT_THAT(keys(ledger), ElementsAre("lastToken", "pending", "seen"));
  EXPECT_EQ(ledger["pending"]["x-kubernetes-list-type"], "atomic");
  EXPECT_THAT(keys(ledger["pending"]["items"]["properties"]), ElementsAre("claim", "rv", "token", "uid", "units"));
}

TEST(Crd, has_a_scale_only_where_the_plugin_declares_one) {
  auto kind = lamp();
  EXPECT_EQ(keys(primitive_crd(kind)["spec"]["versions"][0]["subresources"]), std::vector<std::string>{"status"});
  EXPECT_FALSE(status_of(primitive_crd(kind)).contains("selector"));
  kind.scale = {"spec.bulbs", "status.lit"};
  const auto crd = primitive_crd(kind);
  EXPECT_EQ(crd["spec"]["versions"][0]["subresources"]["scale"], json({{"specReplicasPath", ".spec.bulbs"},
                                                                       {"statusReplicasPath", ".status.lit"},
                                                                       {"labelSelectorPath", ".status.selector"}}));
  EXPECT_EQ(status_of(crd)["selector"]["type"], "string");
  check_structural(schema_of(crd), "");
  EXPECT_FALSE(claim_crd(kind)["spec"]["versions"][0]["subresources"].contains("scale"));
  EXPECT_NE(why_not_served(primitive_crd(lamp()), kind, runtime::Place::primitive), "");
}

TEST(Crd, of_a_counted_kind_has_neither_ledger_nor_ttl) {
  auto kind = lamp();
  kind.mode = runtime::Mode::counted;
  const auto crd = primitive_crd(kind);
  EXPECT_FALSE(status_of(crd).contains("ledger"));
  EXPECT_FALSE(status_of(crd).contains("holders"));
  EXPECT_FALSE(spec_of(crd).contains("ttl"));
  EXPECT_TRUE(status_of(crd).contains("state"));
}

TEST(Crd, of_a_claim_has_the_common_fields) {
  const auto crd = claim_crd(lamp());
  const auto spec = spec_of(crd);
  EXPECT_THAT(keys(spec), ElementsAre("bulbs", "colour", "holder", "lamp", "pod", "priority", "renewTime",
                                      "requestedAt", "ttl", "wait", "watts"));
  EXPECT_EQ(spec["bulbs"]["minimum"], 1);
  EXPECT_EQ(spec["bulbs"]["default"], 1);
  EXPECT_EQ(spec["wait"]["default"], true);
  EXPECT_EQ(schema_of(crd)["properties"]["spec"]["required"], json({"lamp"}));
  const auto status = status_of(crd);
  EXPECT_THAT(keys(status), ElementsAre("conditions", "endedAt", "grace", "grantedAt", "outcome", "phase",
                                        "primitiveUID", "token", "ttl", "units"));
  EXPECT_EQ(status["phase"]["enum"].size(), 6U);
  EXPECT_EQ(crd["spec"]["versions"][0]["selectableFields"],
            json::parse(R"([{"jsonPath": ".spec.lamp"}, {"jsonPath": ".status.phase"}])"));
}

TEST(Crd, of_a_claim_allows_only_names_and_uids_that_a_pod_can_have) {
  const auto pod = spec_of(claim_crd(lamp()))["pod"]["properties"];
  for (const char* field : {"name", "uid"}) EXPECT_EQ(pod[field]["minLength"], 1) << field;
  const std::regex name(pod["name"]["pattern"].get<std::string>());
  EXPECT_EQ(pod["name"]["maxLength"], 253);
  for (const char* good : {"a", "train-3-x7k2p", "a.b-c.0"}) EXPECT_TRUE(std::regex_match(good, name)) << good;
  for (const char* bad : {"", "a/log", "..", "a.", "-a", "A", "a b", "a%2Flog"})
    EXPECT_FALSE(std::regex_match(bad, name)) << bad;
  const std::regex uid(pod["uid"]["pattern"].get<std::string>());
  EXPECT_TRUE(std::regex_match("5f0c2a34-8b1f-4d5a-9c3e-0123456789ab", uid));
  for (const char* bad : {"", "a/b", "a b", "\n"}) EXPECT_FALSE(std::regex_match(bad, uid)) << bad;
}

TEST(Crd, of_a_primitive_allows_only_names_that_a_claim_can_have_in_its_field) {
  const auto rule = schema_of(primitive_crd(lamp()))["x-kubernetes-validations"][0];
  EXPECT_EQ(rule["rule"], "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')");
  EXPECT_EQ(rule["message"], "the name of a Lamp has at most 63 characters, and no dots: claims name it so");
  EXPECT_EQ(spec_of(claim_crd(lamp()))["lamp"]["maxLength"], 63);
}

TEST(Crd, of_a_claim_keeps_what_was_asked_for_and_what_was_granted) {
  const auto crd = claim_crd(lamp());
  const auto spec = spec_of(crd);
  for (const char* field : {"lamp", "bulbs", "pod", "holder", "wait", "requestedAt", "colour", "watts"})
    EXPECT_THAT(rules_of(spec[field]), Contains("self == oldSelf")) << field;
  EXPECT_THAT(rules_of(spec["renewTime"]), IsEmpty());
  for (const char* field : {"token", "units", "ttl"})
    EXPECT_THAT(rules_of(status_of(crd)[field]), ElementsAre("self == oldSelf")) << field;
  EXPECT_THAT(rules_of(status_of(crd)["phase"]),
              ElementsAre("self == oldSelf || !(oldSelf in ['Denied', 'Expired', 'Revoked'])"));
}

// A rule on a field is not evaluated where the field is not there any more.
TEST(Crd, of_a_claim_keeps_its_fields_from_being_left_out) {
  const auto schema = schema_of(claim_crd(lamp()));
  const auto of_spec = rules_of(schema["properties"]["spec"]);
  for (const char* field : {"pod", "holder", "requestedAt", "colour", "watts"}) {
    const std::string name = field;
    EXPECT_THAT(of_spec, Contains("has(self." + name + ") == has(oldSelf." + name + ")"));
  }
  for (const char* always : {"lamp", "bulbs", "wait"})
    EXPECT_THAT(of_spec, Each(Not(HasSubstr(always)))) << "required, or has a default";
  const auto of_status = rules_of(schema["properties"]["status"]);
  for (const char* field : {"phase", "token", "units", "ttl"}) {
    const std::string name = field;
    EXPECT_THAT(of_status, Contains("!has(oldSelf." + name + ") || has(self." + name + ")"));
  }
  EXPECT_THAT(rules_of(schema), Contains("!has(oldSelf.status) || has(self.status)"));
  EXPECT_THAT(schema["required"], Contains("spec"));
}

TEST(Crd, has_the_plugins_rules_and_columns_then_age) {
  const auto crd = primitive_crd(lamp());
  EXPECT_EQ(schema_of(crd)["x-kubernetes-validations"][1]["message"], "a lamp has few bulbs");
  const auto& columns = crd["spec"]["versions"][0]["additionalPrinterColumns"];
  ASSERT_EQ(columns.size(), 2U);
  EXPECT_EQ(columns[0]["name"], "BULBS");
  EXPECT_EQ(columns[1]["name"], "AGE");
}

TEST(Crd, of_a_claim_shows_each_path_in_one_column) {
  auto kind = lamp();
  kind.columns.push_back({runtime::Place::claim, 0, "STANDS", "string", ".status.phase", "How it stands"});
  std::vector<std::string> names;
  const auto crd = claim_crd(kind);
  for (const auto& column : crd["spec"]["versions"][0]["additionalPrinterColumns"]) names.push_back(column["name"]);
  EXPECT_THAT(names, ElementsAre("STANDS", "LAMP", "BULBS", "HOLDER", "TOKEN", "AGE"));
}

}  // namespace
}  // namespace konductor::host
