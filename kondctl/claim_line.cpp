// What ClaimMachine asks of its place in line. Worth knowing, and no more than that: nothing else depends on the
// answers.
#include "kondctl/advice.hpp"
#include "kondctl/claim_machine_impl.hpp"
#include "kube/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>

namespace konductor::kondctl {

namespace {

constexpr Duration line_rest = std::chrono::seconds{5};
constexpr std::size_t long_line = 500;  // a list of that many claims is no small thing to ask for
constexpr Duration long_line_rest = std::chrono::minutes{1};

}  // namespace

kube::Request ClaimMachine::Impl::line_request() const {
  kube::ListOptions all;
  all.field_selector = "spec." + wish_.kind->primitive_field + "=" + wish_.primitive.name;
  all.limit = 0;
  return kube::list(wish_.kind->claim_resource(), wish_.claim.ns, all);
}

// Whoever may not ask is told without it.
void ClaimMachine::Impl::on_line(const Result<nlohmann::json>& answer) {
  line_at_.reset();
  if (!answer && !is_retryable(answer.error().code)) return;
  line_at_ = now_.mono + line_rest;
  if (!answer || stage_ != Stage::waiting) return;
  place_ = settings_.place_in_line(*primitive_, *answer, view_->claim.uid);
  const nlohmann::json* items = kube::find_path(*answer, "items");
  if (items != nullptr && items->size() > long_line) line_at_ = now_.mono + long_line_rest;
}

}  // namespace konductor::kondctl
