#include "kondctl/wait_verdict.hpp"

#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace konductor::kondctl {

namespace {

using nlohmann::json;

std::string words_of(const json& primitive, const std::string& condition) {
  const json* said = condition.empty() ? nullptr : kube::condition_of(primitive, condition);
  if (said == nullptr) return {};
  const std::string& message = kube::text_at(*said, "message");
  return message.empty() ? kube::text_at(*said, "reason") : message;
}

}  // namespace

WaitVerdict wait_verdict(const json& primitive, const runtime::WaitDeclaration& wait, Round round) {
  using Kind = WaitVerdict::Kind;
  const std::string& phase = kube::text_at(primitive, "status.phase");
  const std::string open = words_of(primitive, wait.open_phase);
  if (round) {
    const auto served = kube::integer_at(primitive, "status." + wait.served_round_field);
    if (served.value_or(0) >= *round) return {Kind::served, {}};
  } else if (!phase.empty() && phase == wait.open_phase) {
    return {Kind::served, open};
  }
  if (!phase.empty() && phase == wait.failed_phase) return {Kind::failed, words_of(primitive, wait.failed_phase)};
  return {Kind::waiting, open};
}

bool has_rounds(const json& primitive, const runtime::WaitDeclaration& wait) {
  return !wait.rounds_field.empty() && kube::boolean_at(primitive, "spec." + wait.rounds_field).value_or(false);
}

bool has_status(const json& primitive) {
  const json* status = kube::find_path(primitive, "status");
  return status != nullptr && status->is_object() && !status->empty();
}

}  // namespace konductor::kondctl
