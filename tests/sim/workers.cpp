#include "tests/sim/workers.hpp"

#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace konductor::sim {
namespace {

using Json = nlohmann::json;

const kube::Resource pods{"", "v1", "pods"};
const kube::Resource jobs{"batch", "v1", "jobs"};

enum class Origin { left, right, own_job, named };

Origin origin_of(int participant) {
  return static_cast<Origin>(participant % 4);
}

std::string job_of(int participant) {
  const auto origin = origin_of(participant);
  if (origin == Origin::left) return "left";
  return origin == Origin::right ? "right" : "own-" + std::to_string(participant);
}

Json owner(const Json& object, const std::string& api_version, const std::string& kind) {
  return {{"apiVersion", api_version},
          {"kind", kind},
          {"name", object["metadata"]["name"]},
          {"uid", object["metadata"]["uid"]}};
}

}  // namespace

Workers::Workers(World& world, const runtime::KindDeclaration& kind, std::string ns)
    : world_(world), kind_(kind), ns_(std::move(ns)) {
  world_.api().serve({.resource = jobs, .kind = "Job", .status_subresource = true, .selectable = {}, .rules = {}});
}

void Workers::hire(int participants) {
  for (int i = 0; i < participants; ++i) {
    const auto name = job_of(i);
    if (job_uid_.contains(name) || origin_of(i) == Origin::named) continue;
    const int completions = origin_of(i) == Origin::own_job ? 1 : participants;
    world_.command("user", kube::create(jobs, ns_,
                                        {{"apiVersion", "batch/v1"},
                                         {"kind", "Job"},
                                         {"metadata", {{"name", name}, {"namespace", ns_}}},
                                         {"spec", {{"completions", completions}, {"parallelism", completions}}}}));
    job_uid_[name] = kube::text_at(*world_.api().find(jobs, {ns_, name}), "metadata.uid");
  }
}

std::string Workers::truth_of(int participant) const {
  const auto number = std::to_string(participant);
  if (origin_of(participant) == Origin::named) return "named-" + number;
  const auto& job = job_uid_.at(job_of(participant));
  return origin_of(participant) == Origin::own_job ? job : job + "/" + number;
}

void Workers::arrive(int participant, const std::string& name, const Json& primitive, Json spec) {
  const Json meta = {{"name", name}, {"namespace", ns_}};
  Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", meta}, {"spec", Json::object()}};
  spec[kind_.primitive_field] = primitive["metadata"]["name"];
  spec["holder"] = name;
  if (origin_of(participant) == Origin::named) {
    spec[kind_.participant_field] = truth_of(participant);
  } else {
    const auto job = job_of(participant);
    const Json made = {{"metadata", {{"name", job}, {"uid", job_uid_.at(job)}}}};
    pod["metadata"]["ownerReferences"] = Json::array({owner(made, "batch/v1", "Job")});
    pod["metadata"]["ownerReferences"][0]["controller"] = true;
    if (origin_of(participant) != Origin::own_job)
      pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] = std::to_string(participant);
  }
  world_.command("job-controller", kube::create(pods, ns_, pod));
  spec["pod"] = {{"name", name}, {"uid", kube::text_at(*world_.api().find(pods, {ns_, name}), "metadata.uid")}};
  Json claim = {{"apiVersion", "sync.konductor.io/v1"}, {"kind", kind_.claim.kind}, {"metadata", meta}, {"spec", spec}};
  claim["metadata"]["ownerReferences"] = Json::array({owner(primitive, "sync.konductor.io/v1", kind_.names.kind)});
  world_.command("pod", kube::create(kind_.claim_resource(), ns_, claim));
}

void Workers::fail(const std::string& pod) {
  world_.command("kubelet", kube::merge_patch(pods, {ns_, pod}, {{"status", {{"phase", "Failed"}}}}, "status"));
}

void Workers::remove(const std::string& pod) {
  world_.command("job-controller", kube::delete_object(pods, {ns_, pod}, {}));
}

bool Workers::is_known(const std::string& pod) const {
  const auto claim = world_.api().find(kind_.claim_resource(), {ns_, pod});
  return claim && !kube::text_at(*claim, "status.participant").empty();
}

}  // namespace konductor::sim
