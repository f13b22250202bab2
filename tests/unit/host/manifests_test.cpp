#include "host/manifests.hpp"

#include "host/declarations.hpp"
#include "host/rbac.hpp"
#include "lamp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <string>
#include <utility>
#include <vector>

namespace konductor::host {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

std::vector<runtime::KindDeclaration> kinds() {
  testing::Lamp lamp;
  auto first = declare_kind(lamp.kind, "plugin lamps", [] { return runtime::MonoTime{}; }).value();
  auto second = first;
  second.mode = runtime::Mode::observed;
  second.names = {"Bell", "bells", "bell", ""};
  second.claim = {};
  second.claim_spec_schema.clear();
  return {first, second};
}

TEST(Manifests, are_documents_in_a_fixed_order) {
  auto given = kinds();
  const auto text = manifests(given);
  std::swap(given[0], given[1]);
  EXPECT_EQ(manifests(given), text);
  std::vector<std::string> names;
  for (const auto& document : YAML::LoadAll(text)) {
    names.push_back(document["kind"].as<std::string>() + " " + document["metadata"]["name"].as<std::string>());
  }
  EXPECT_THAT(names,
              ElementsAre("CustomResourceDefinition bells.sync.konductor.io",
                          "CustomResourceDefinition lamps.sync.konductor.io",
                          "CustomResourceDefinition switches.sync.konductor.io", "ClusterRole konductor-operator",
                          "ClusterRole konductor-user", "ClusterRole konductor-view", "ClusterRole konductor-edit"));
}

TEST(Manifests, of_no_kinds_are_empty) {
  EXPECT_EQ(manifests({}), "");
}

json rule(const char* group, json resources, json verbs) {
  return {{"apiGroups", {group}}, {"resources", std::move(resources)}, {"verbs", std::move(verbs)}};
}

TEST(Rbac, lets_the_operator_do_exactly_what_it_does) {
  auto role = operator_role(kinds());
  EXPECT_EQ(role["rules"].back()["resourceNames"],
            json({"lamps.sync.konductor.io", "switches.sync.konductor.io", "bells.sync.konductor.io"}));
  role["rules"].erase(role["rules"].size() - 1);
  const char* ours = "sync.konductor.io";
  EXPECT_EQ(role["rules"],
            json::array({rule(ours, {"lamps", "bells"}, {"get", "list", "watch"}),
                         rule(ours, {"lamps/status", "bells/status"}, {"patch"}),
                         rule(ours, json::array({"switches"}), {"get", "list", "watch", "delete"}),
                         rule(ours, json::array({"switches/status"}), json::array({"patch"})),
                         rule("", json::array({"pods"}), {"get", "list", "watch"}),
                         rule("", json::array({"events"}), {"create", "patch"}),
                         rule("coordination.k8s.io", json::array({"leases"}), {"get", "create", "patch", "update"})}));
}

TEST(Rbac, lets_the_operator_read_what_its_kinds_observe) {
  auto given = kinds();
  given[0].observes = {{"batch", "jobs"}, {"", "configmaps"}};
  given[1].observes = {{"batch", "cronjobs"}, {"batch", "jobs"}};
  const auto role = operator_role(given);
  const json verbs = {"get", "list", "watch"};
  EXPECT_THAT(role["rules"], ::testing::Contains(rule("", json::array({"configmaps"}), verbs)));
  EXPECT_THAT(role["rules"], ::testing::Contains(rule("batch", {"cronjobs", "jobs"}, verbs)));
}

TEST(Rbac, lets_a_workload_claim_and_nothing_else) {
  const auto role = user_role(kinds());
  EXPECT_EQ(role["rules"], json::array({rule("sync.konductor.io", {"lamps", "bells"}, {"get", "list", "watch"}),
                                        rule("sync.konductor.io", json::array({"switches"}),
                                             {"create", "get", "watch", "patch", "delete"})}));
}

TEST(Rbac, adds_to_the_roles_view_and_edit) {
  const auto roles = aggregated_roles(kinds());
  ASSERT_EQ(roles.size(), 2U);
  EXPECT_EQ(roles[0]["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"], "true");
  EXPECT_EQ(roles[1]["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"], "true");
  EXPECT_NE(roles[1].dump().find("switches"), std::string::npos);
  EXPECT_EQ(roles[1].dump().find("status"), std::string::npos) << "nobody but the operator writes status";
}

TEST(Rbac, lets_people_scale_what_has_a_scale) {
  auto given = kinds();
  EXPECT_EQ(aggregated_roles(given)[1].dump().find("/scale"), std::string::npos);
  given[0].scale = {"spec.bulbs", "status.lit"};
  const auto roles = aggregated_roles(given);
  const auto scale = json::array({"lamps/scale"});
  EXPECT_EQ(roles[0]["rules"].back(), rule("sync.konductor.io", scale, json::array({"get"})));
  EXPECT_EQ(roles[1]["rules"].back(), rule("sync.konductor.io", scale, {"update", "patch"}));
  EXPECT_EQ(operator_role(given).dump().find("/scale"), std::string::npos);
  EXPECT_EQ(user_role(given).dump().find("/scale"), std::string::npos);
}

}  // namespace
}  // namespace konductor::host
