#include "runtime/participant.hpp"

#include "kube/json_fields.hpp"
#include "kube/object_meta.hpp"
#include "kube/resource.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace konductor::runtime {
namespace {

using nlohmann::json;

constexpr std::string_view index_key = "batch.kubernetes.io/job-completion-index";
constexpr std::size_t most_digits = 10;
constexpr std::size_t longest_uid = 64;

/// The completion index of an Indexed Job's Pod. The label came with Kubernetes 1.28, the annotation was there before.
std::string index_of(const json& pod) {
  for (const char* where : {"metadata.labels", "metadata.annotations"}) {
    const json* all = kube::find_path(pod, where);
    const json* index = all == nullptr ? nullptr : kube::member(*all, index_key);
    if (index == nullptr || !index->is_string()) continue;
    const auto& text = index->get_ref<const std::string&>();
    const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (digits && !text.empty() && text.size() <= most_digits) return text;
  }
  return {};
}

Participant by_pod(const NamedPod& pod, std::string doubt) {
  return {pod.uid, std::move(doubt)};
}

/// Who makes a Pod says who owns it, and may say anything.
bool may_exist(const kube::OwnerReference& owner) {
  return kube::is_dns_subdomain(owner.name) && !owner.uid.empty() && owner.uid.size() <= longest_uid;
}

/// How people name a participant themselves.
std::string how_to_name(const KindDeclaration& kind) {
  std::string path = "spec." + kind.participant_field;
  for (const auto& command : kind.commands)
    if (const auto* flag = command.flag_for(path)) return "--" + flag->name + " or " + path;
  return path;
}

}  // namespace

std::variant<Participant, OwningJob, GonePod> participant_of(const NamedPod& pod, const json* object) {
  const std::string who = "pod " + pod.name;
  if (object == nullptr) return GonePod{who + " was gone before it could be looked at"};
  const auto meta = kube::parse_meta(*object);
  if (!meta || meta->uid != pod.uid) return GonePod{who + " was gone, and another had its name"};
  const auto& owners = meta->owner_references;
  const auto owner = std::ranges::find_if(owners, [](const auto& reference) { return reference.controller; });
  if (owner == owners.end()) return by_pod(pod, who + " belongs to no Job");
  if (owner->kind != "Job" || !owner->api_version.starts_with("batch/"))
    return by_pod(pod, kube::one_line(who + " belongs to " + owner->kind + " " + owner->name + ", which is no Job"));
  if (!may_exist(*owner)) return by_pod(pod, who + " belongs to a Job of a name or UID that cannot be");
  const auto index = index_of(*object);
  if (!index.empty()) return Participant{owner->uid + "/" + index, {}};
  return OwningJob{owner->name, owner->uid};
}

std::string why_job_is_gone(const OwningJob& job, const json* object) {
  const auto who = "Job " + job.name;
  if (object == nullptr) return who + " was gone before it could be looked at";
  if (kube::text_at(*object, "metadata.uid") != job.uid) return who + " was gone, and another had its name";
  return {};
}

std::string why_not_one_completion(const OwningJob& job, const json& object) {
  const auto who = "Job " + job.name;
  const auto completions = kube::integer_at(object, "spec.completions");
  if (completions == 1) return {};
  if (completions) return who + " has " + std::to_string(*completions) + " completions without indexes";
  if (kube::integer_at(object, "spec.parallelism").value_or(1) == 1) return {};
  return who + " says no number of completions";
}

std::string doubt_message(const KindDeclaration& kind, const std::string& doubt) {
  return doubt +
         ": it counts by its Pod, and a retry in another Pod would count once more. To prevent that, name the "
         "participant with " +
         how_to_name(kind);
}

std::string gone_message(const KindDeclaration& kind, const std::string& why) {
  return why + ": it is not counted, as it may be a retry of one that is. If it is to be counted, make another " +
         kind.claim.singular + " that names the participant with " + how_to_name(kind) + "; then delete this one";
}

}  // namespace konductor::runtime
