#include "barrier/codec.hpp"
#include "vtable.hpp"

#include <konductor/plugin.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

/// The samples under manifests/ use only fields that exist, with values that can be served.
namespace konductor::plugin_test {
namespace {

const konductor_kind& kind() {
  return *load(BARRIER_SO).kinds[0];
}

std::set<std::string> members(const YAML::Node& map) {
  std::set<std::string> names;
  for (const auto& entry : map) names.insert(entry.first.as<std::string>());
  return names;
}

std::vector<YAML::Node> samples(const std::string& file) {
  return YAML::LoadAllFromFile(SAMPLES_DIR "/" + file);
}

void expect_servable(const YAML::Node& barrier) {
  EXPECT_EQ(barrier["apiVersion"].as<std::string>(), "sync.konductor.io/v1");
  EXPECT_EQ(barrier["kind"].as<std::string>(), plugin::view(kind().names.kind));
  const auto known = nlohmann::json::parse(plugin::view(kind().spec_schema))["properties"];
  nlohmann::json spec;
  for (const auto& name : members(barrier["spec"])) {
    ASSERT_TRUE(known.contains(name)) << name;
    const auto text = barrier["spec"][name].as<std::string>();
    spec[name] = known[name]["type"] == "string" ? nlohmann::json(text) : nlohmann::json::parse(text);
  }
  EXPECT_TRUE(barrier::parse_spec(spec.dump())) << spec;
}

/// The words of all commands in a pod's containers.
std::vector<std::string> commands(const YAML::Node& job) {
  std::vector<std::string> words;
  const auto& pod = job["spec"]["template"]["spec"];
  for (const auto& list : {pod["initContainers"], pod["containers"]}) {
    for (const auto& container : list) {
      for (const auto& word : container["command"]) words.push_back(word.as<std::string>());
    }
  }
  return words;
}

TEST(BarrierSamples, the_barrier_can_be_served) {
  const auto nodes = samples("barrier.yaml");
  ASSERT_EQ(nodes.size(), 1U);
  expect_servable(nodes[0]);
}

TEST(BarrierSamples, the_arrival_arrives_at_the_sample_barrier) {
  const auto node = samples("barrier-arrival.yaml").at(0);
  EXPECT_EQ(node["kind"].as<std::string>(), plugin::view(kind().claim.kind));
  EXPECT_EQ(members(node["spec"]), (std::set<std::string>{"barrier", "holder", "participant"}));
  EXPECT_EQ(node["spec"]["barrier"].as<std::string>(),
            samples("barrier.yaml")[0]["metadata"]["name"].as<std::string>());
}

TEST(BarrierSamples, the_jobs_arrive_at_the_barriers_beside_them_and_fill_them) {
  for (const char* file : {"barrier-indexed-job.yaml", "barrier-jobs.yaml"}) {
    int participants = 0;
    const auto nodes = samples(file);
    expect_servable(nodes.at(0));
    const auto name = nodes[0]["metadata"]["name"].as<std::string>();
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      EXPECT_EQ(nodes[i]["kind"].as<std::string>(), "Job") << file;
      const YAML::Node completions = nodes[i]["spec"]["completions"];
      participants += completions ? completions.as<int>() : 1;
      const auto words = commands(nodes[i]);
      EXPECT_NE(std::find(words.begin(), words.end(), "arrive"), words.end()) << file;
      EXPECT_NE(std::find(words.begin(), words.end(), name), words.end()) << file;
    }
    EXPECT_EQ(participants, nodes[0]["spec"]["expected"].as<int>()) << file;
  }
}

}  // namespace
}  // namespace konductor::plugin_test
