#include "semaphore/codec.hpp"
#include "vtable.hpp"

#include <konductor/plugin.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <set>
#include <string>

/// The samples under manifests/ use only fields that exist, with values that can be served.
namespace konductor::plugin_test {
namespace {

const konductor_kind& kind() {
  return *load(SEMAPHORE_SO).kinds[0];
}

std::set<std::string> members(const YAML::Node& map) {
  std::set<std::string> names;
  for (const auto& entry : map) names.insert(entry.first.as<std::string>());
  return names;
}

YAML::Node sample(const std::string& file) {
  YAML::Node node = YAML::LoadFile(SAMPLES_DIR "/" + file);
  EXPECT_EQ(node["apiVersion"].as<std::string>(), "sync.konductor.io/v1");
  return node;
}

TEST(SemaphoreSamples, the_semaphore_can_be_served) {
  const YAML::Node node = sample("semaphore.yaml");
  EXPECT_EQ(node["kind"].as<std::string>(), plugin::view(kind().names.kind));
  EXPECT_EQ(members(node["spec"]), (std::set<std::string>{"permits", "ttl"}));
  EXPECT_TRUE(semaphore::parse_spec(R"({"permits":)" + node["spec"]["permits"].as<std::string>() + "}"));
}

TEST(SemaphoreSamples, the_permit_asks_the_sample_semaphore_for_what_it_has) {
  const YAML::Node node = sample("semaphore-permit.yaml");
  const YAML::Node limit = sample("semaphore.yaml");
  EXPECT_EQ(node["kind"].as<std::string>(), plugin::view(kind().claim.kind));
  EXPECT_EQ(members(node["spec"]), (std::set<std::string>{"holder", "permits", "semaphore", "ttl"}));
  EXPECT_EQ(node["spec"]["semaphore"].as<std::string>(), limit["metadata"]["name"].as<std::string>());
  EXPECT_LE(node["spec"]["permits"].as<int>(), limit["spec"]["permits"].as<int>());
}

}  // namespace
}  // namespace konductor::plugin_test
