// Prints a random script of requests and what the model answers to each, one JSON object a line. differential_test.py
// plays the same script to a real API server. What differs by nature stands in the script as a placeholder:
// "$uid:NAME" and "$rv:NAME" are the UID and the resourceVersion that the object last showed, "$old:NAME" the one
// before.

#include "tests/sim/api_model.hpp"
#include "tests/sim/rng.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;

const kube::Resource things{"toys.example.org", "v1", "things"};
constexpr const char* ns = "default";

std::string ended_is_final(const Json& before, const Json& after) {
  const Json::json_pointer phase("/status/phase");
  return before.value(phase, "") == "Ended" && after.value(phase, "") != "Ended" ? "it has ended" : "";
}

/// What the model said last of each object.
struct Known {
  std::string uid = "none";
  std::string revision = "1";
  std::string older = "1";
};

class Script {
 public:
  explicit Script(std::uint64_t seed) : rng_(seed) {
    api_.serve({.resource = things,
                .kind = "Thing",
                .status_subresource = true,
                .selectable = {"spec.box"},
                .rules = {ended_is_final}});
    api_.set_time(kube::WallTime{std::chrono::seconds{1'700'000'000}});
  }

  void step() {
    const std::string name(1, static_cast<char>('a' + rng_.between(0, 3)));
    switch (rng_.between(0, 7)) {
      case 0:
      case 1: return play(name, kube::create(things, ns, object(name)));
      case 2:
        return play(name,
                    kube::delete_object(things, {ns, name}, {.uid = uid(name), .resource_version = revision(name)}));
      case 3: return play(name, kube::get(things, {ns, name}));
      case 4: return play("", list());
      case 5: return play(name, kube::merge_patch(things, {ns, name}, patch(name), "status"));
      default: return play(name, kube::merge_patch(things, {ns, name}, patch(name)));
    }
  }

 private:
  std::string uid(const std::string& name) {
    const auto draw = rng_.between(0, 9);
    return draw < 5 ? "" : draw < 9 ? "$uid:" + name : "00000000-0000-0000-0000-00000000dead";
  }
  std::string revision(const std::string& name) {
    const auto draw = rng_.between(0, 9);
    return draw < 5 ? "" : draw < 8 ? "$rv:" + name : "$old:" + name;
  }
  Json object(const std::string& name) {
    Json made{{"apiVersion", "toys.example.org/v1"},
              {"kind", "Thing"},
              {"metadata", {{"name", name}}},
              {"spec", {{"box", box()}}}};
    if (rng_.chance(300)) made["status"] = {{"phase", "Ready"}};
    return made;
  }
  std::string box() { return std::string(1, static_cast<char>('x' + rng_.between(0, 2))); }
  Json patch(const std::string& name) {
    Json made = Json::object();
    if (const std::string value = uid(name); !value.empty()) made["metadata"]["uid"] = value;
    if (const std::string value = revision(name); !value.empty()) made["metadata"]["resourceVersion"] = value;
    if (rng_.chance(600)) made["spec"]["box"] = box();
    if (rng_.chance(600)) made["status"] = status();
    return made;
  }
  Json status() {
    static constexpr std::array phases{"Ready", "Busy", "Ended"};
    if (rng_.chance(100)) return nullptr;
    return {{"phase", phases.at(static_cast<std::size_t>(rng_.between(0, 2)))}};
  }
  kube::Request list() {
    kube::ListOptions options;
    if (rng_.chance(500)) options.field_selector = "spec.box=" + box();
    if (rng_.chance(200)) options.field_selector = "metadata.name!=a";
    if (rng_.chance(100)) options.field_selector = "spec.nothing=1";
    options.limit = static_cast<int>(rng_.between(0, 3));
    return kube::list(things, ns, options);
  }

  std::string filled(std::string text) const {
    for (const auto& [name, known] : known_) {
      for (const auto& [mark, value] : {std::pair{"$uid:" + name, known.uid}, std::pair{"$rv:" + name, known.revision},
                                        std::pair{"$old:" + name, known.older}}) {
        for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
          text.replace(at, mark.size(), value);
        }
      }
    }
    return text;
  }

  void play(const std::string& name, kube::Request request) {
    if (!name.empty()) known_.try_emplace(name);
    const std::string script_body = request.body;
    request.body = filled(request.body);
    const kube::Response response = api_.handle(request);
    const Json body = Json::parse(response.body, nullptr, false);
    Json expected{{"status", response.status}};
    if (body.value("kind", "") == "Status") {
      expected["reason"] = body.value("reason", "");
    } else if (body.contains("items")) {
      expected["names"] = Json::array();
      for (const Json& item : body["items"]) expected["names"].push_back(item["metadata"]["name"]);
      expected["more"] = body["metadata"].contains("continue");
    } else {
      expected["spec"] = body.value("spec", Json());
      expected["shown"] = body.value("status", Json());
      expected["generation"] = body["metadata"]["generation"];
      Known& known = known_[name];
      const std::string revision = body["metadata"]["resourceVersion"];
      expected["changed"] = known.revision != revision;
      if (known.revision != revision) known.older = known.revision;
      known.revision = revision;
      known.uid = body["metadata"]["uid"];
    }
    std::cout << Json{{"object", name},           {"method", kube::to_string(request.method)},
                      {"target", request.target}, {"type", request.content_type},
                      {"body", script_body},      {"expected", expected}}
                     .dump()
              << "\n";
  }

  ApiModel api_;
  Rng rng_;
  std::map<std::string, Known> known_;
};

}  // namespace
}  // namespace konductor::sim

int main(int count, char** words) {
  const std::uint64_t seed = count > 1 ? std::strtoull(words[1], nullptr, 10) : 1;
  const int steps = count > 2 ? std::atoi(words[2]) : 300;
  konductor::sim::Script script(seed);
  for (int i = 0; i < steps; ++i) script.step();
}
