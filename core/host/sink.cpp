#include "host/sink.hpp"

#include "host/growing.hpp"
#include "host/json_text.hpp"
#include "host/words.hpp"
#include "kube/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace konductor::host {
namespace {

using runtime::ClaimState;
using runtime::VerdictKind;

constexpr std::size_t max_object = std::size_t{64} << 10U;
constexpr std::size_t max_entries = 64;  // conditions, needs, events
constexpr std::size_t max_message = 1024;
constexpr std::size_t max_word = 128;
constexpr std::int64_t max_delay = 366LL * 24 * 3600 * 1'000'000;  // microseconds

std::optional<VerdictKind> verdict_kind(konductor_verdict_kind kind) {
  switch (kind) {
    case KONDUCTOR_WAIT: return VerdictKind::wait;
    case KONDUCTOR_GRANT: return VerdictKind::grant;
    case KONDUCTOR_GRANT_CONSUME: return VerdictKind::grant_consume;
    case KONDUCTOR_DENY: return VerdictKind::deny;
    case KONDUCTOR_REVOKE: return VerdictKind::revoke;
    case KONDUCTOR_DISCARD: return VerdictKind::discard;
    default: return std::nullopt;
  }
}

std::string_view verb(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::wait: return "lets wait";
    case VerdictKind::grant:
    case VerdictKind::grant_consume: return "grants";
    case VerdictKind::deny: return "denies";
    case VerdictKind::revoke: return "revokes";
    case VerdictKind::discard: return "discards";
  }
  return "judges";
}

std::string_view view(konductor_str text) {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}

bool is_readable(konductor_str text) {
  return text.size == 0 || text.data != nullptr;
}

Sink& self(void* context) {
  return *static_cast<Sink*>(context);
}

}  // namespace

Sink::Sink(runtime::Mode mode) : mode_(mode), c_sink_{} {
  c_sink_.struct_size = sizeof(c_sink_);
  c_sink_.context = this;
  c_sink_.verdict = [](void* context, std::size_t index, const konductor_verdict* given) noexcept {
    self(context).verdict(index, given);
  };
  c_sink_.state = [](void* context, konductor_str json) noexcept { self(context).state(json); };
  c_sink_.status = [](void* context, konductor_str json) noexcept { self(context).status(json); };
  c_sink_.condition = [](void* context, konductor_str type, konductor_condition_status status, konductor_str reason,
                         konductor_str message) noexcept { self(context).condition(type, status, reason, message); };
  c_sink_.need = [](void* context, const konductor_need* given) noexcept { self(context).need(given); };
  c_sink_.look_again_at = [](void* context, std::int64_t time) noexcept { self(context).look_again_at(time); };
  c_sink_.event = [](void* context, konductor_event_type type, konductor_str reason, konductor_str message) noexcept {
    self(context).event(type, reason, message);
  };
}

void Sink::begin(const runtime::Observation& observation) {
  observation_ = &observation;
  plan_ = {};
  breach_.clear();
  judged_.assign(observation.claims.size(), false);
  grants_ = 0;
}

runtime::Plan Sink::take_plan() {
  return std::move(plan_);
}

std::string Sink::last_words() const {
  if (!plan_.conditions.empty()) return plan_.conditions.back().message;
  return plan_.events.empty() ? std::string{} : plan_.events.back().message;
}

void Sink::fail(const std::string& what) {
  // It quotes the plugin, and ends up in logs and conditions.
  if (breach_.empty()) breach_ = kube::one_line(what);
}

std::string Sink::words(konductor_str text, std::size_t max_bytes, std::string_view what) {
  if (!is_readable(text)) {
    fail(std::string(what) + " is a null pointer with a length");
    return {};
  }
  auto cut = cut_text(view(text), max_bytes);
  if (!is_text(cut)) fail(std::string(what) + " is not UTF-8 text");
  return cut;
}

std::string Sink::reason_word(konductor_str text, bool required, std::string_view what) {
  auto word = words(text, max_word + 1, what);
  if (word.empty() && !required) return word;
  if (word.size() > max_word || !is_reason_word(word)) {
    fail(std::string(what) + " is not a CamelCase word of at most " + std::to_string(max_word) + " characters");
  }
  return word;
}

std::string Sink::object_text(konductor_str json, std::string_view what) {
  if (!is_readable(json)) {
    fail(std::string(what) + " is a null pointer with a length");
    return {};
  }
  const auto parsed = parse_object(view(json), max_object);
  if (!parsed) {
    fail(std::string(what) + " " + parsed.error().detail);
    return {};
  }
  for (const char* owned : {"ledger", "state", "stateTime", "conditions", "observedGeneration", "holders"}) {
    if (what == "status" && parsed->contains(owned))
      fail(std::string("status names ") + owned + ", which is the host's");
  }
  return std::string(view(json));
}

std::string Sink::check_transition(std::size_t index, VerdictKind kind) const {
  const auto& claim = observation_->claims[index];
  const bool waiting = claim.state == ClaimState::waiting;
  std::string_view trouble;
  const bool grants = mode_ == runtime::Mode::granted;
  if (kind == VerdictKind::discard) {
    if (grants) trouble = ", but claims of this kind are not only counted";
  } else if (!grants && kind != VerdictKind::wait && kind != VerdictKind::deny) {
    trouble = ", but claims of this kind are only counted";
  } else if (kind == VerdictKind::revoke && claim.state != ClaimState::granted && claim.state != ClaimState::revoking) {
    trouble = ", which holds nothing";
  } else if (kind != VerdictKind::revoke && kind != VerdictKind::wait && !waiting) {
    trouble = ", which does not wait";
  }
  return trouble.empty() ? std::string{} : std::string(verb(kind)).append(" claim ").append(claim.key).append(trouble);
}

void Sink::verdict(std::size_t index, const konductor_verdict* given) {
  if (!breach_.empty()) return;
  if (given == nullptr) return fail("gives a verdict that is a null pointer");
  if (index >= judged_.size()) {
    return fail("gives a verdict on claim " + std::to_string(index) + " of " + std::to_string(judged_.size()));
  }
  if (judged_[index]) return fail("gives two verdicts on claim " + std::string(observation_->claims[index].key));
  judged_[index] = true;

  const auto copy = copy_growing(given);
  const auto kind = verdict_kind(copy.kind);
  if (!kind) return fail("gives a verdict of the unknown kind " + std::to_string(copy.kind));
  if (auto trouble = check_transition(index, *kind); !trouble.empty()) return fail(trouble);
  if (*kind == VerdictKind::grant || *kind == VerdictKind::grant_consume) {
    if (++grants_ > observation_->max_grants) {
      return fail("grants more than the " + std::to_string(observation_->max_grants) + " of this round");
    }
  }
  if (copy.grace < 0 || copy.grace > max_delay) {
    return fail("gives a grace of " + std::to_string(copy.grace) + " microseconds; right is 0 to a year");
  }
  if (plan_.verdicts.empty()) plan_.verdicts.reserve(judged_.size());
  plan_.verdicts.push_back({index, *kind, reason_word(copy.reason, false, "the reason of a verdict"),
                            words(copy.message, max_message, "the message of a verdict"), copy.grace});
}

void Sink::state(konductor_str json) {
  if (plan_.state) return fail("gives its state twice");
  plan_.state = object_text(json, "state");
}

void Sink::status(konductor_str json) {
  if (plan_.status) return fail("gives its status twice");
  plan_.status = object_text(json, "status");
}

void Sink::condition(konductor_str type, konductor_condition_status status, konductor_str reason,
                     konductor_str message) {
  if (plan_.conditions.size() >= max_entries)
    return fail("gives more than " + std::to_string(max_entries) + " conditions");
  runtime::PlanCondition condition;
  condition.type = reason_word(type, true, "the type of a condition");
  condition.status = status == KONDUCTOR_TRUE    ? runtime::ConditionStatus::true_
                     : status == KONDUCTOR_FALSE ? runtime::ConditionStatus::false_
                                                 : runtime::ConditionStatus::unknown;
  if (status < KONDUCTOR_FALSE || status > KONDUCTOR_UNKNOWN) {
    fail("gives the condition " + condition.type + " the unknown status " + std::to_string(status));
  }
  condition.reason = reason_word(reason, true, "the reason of condition " + condition.type);
  condition.message = words(message, max_message, "the message of condition " + condition.type);
  const auto same = [&](const auto& other) { return other.type == condition.type; };
  if (std::ranges::any_of(plan_.conditions, same)) fail("gives the condition " + condition.type + " twice");
  plan_.conditions.push_back(std::move(condition));
}

std::string Sink::check_need(const runtime::Need& need) const {
  const std::string name = "the need \"" + need.id + "\"";
  if (need.id.empty()) return "gives a need without an id";
  if (!is_dns_label(need.plural) || !is_dns_label(need.version)) return name + " lacks a version or a plural";
  if (!need.group.empty() && !is_dns_subdomain(need.group)) return name + " has a malformed group";
  if (!need.ns.empty() && !is_dns_label(need.ns)) return name + " has a malformed namespace";
  if (need.object_name.empty() == need.label_selector.empty()) {
    return name + " must have either an object's name or a label selector";
  }
  if (!need.object_name.empty() && !is_dns_subdomain(need.object_name)) return name + " has a malformed object name";
  for (const auto& path : need.fields) {
    if (!is_dotted_path(path)) return name + " asks for the malformed path \"" + path + "\"";
  }
  const auto same = [&](const auto& other) { return other.id == need.id; };
  return std::ranges::any_of(plan_.needs, same) ? name + " is given twice" : std::string{};
}

void Sink::need(const konductor_need* given) {
  if (given == nullptr) return fail("gives a need that is a null pointer");
  if (plan_.needs.size() >= max_entries) return fail("gives more than " + std::to_string(max_entries) + " needs");
  const auto copy = copy_growing(given);
  if (copy.field_count > max_entries || (copy.field_count > 0 && copy.fields == nullptr)) {
    return fail("gives a need with more than " + std::to_string(max_entries) + " fields, or none where it says some");
  }
  const auto text = [this](konductor_str from) { return words(from, max_message, "a member of a need"); };
  runtime::Need need{text(copy.id),
                     text(copy.group),
                     text(copy.version),
                     text(copy.plural),
                     text(copy.namespace_name),
                     text(copy.object_name),
                     text(copy.label_selector),
                     {}};
  for (std::size_t i = 0; i < copy.field_count; ++i) need.fields.push_back(text(copy.fields[i]));
  if (auto trouble = check_need(need); !trouble.empty()) return fail(trouble);
  plan_.needs.push_back(std::move(need));
}

void Sink::look_again_at(std::int64_t time) {
  if (time <= 0) return fail("wants to look again at the time " + std::to_string(time));
  // Later than that is of no use, and would not survive the host's arithmetic.
  const auto bounded = std::min(time, observation_->now + max_delay);
  plan_.look_again_at = plan_.look_again_at ? std::min(*plan_.look_again_at, bounded) : bounded;
}

void Sink::event(konductor_event_type type, konductor_str reason, konductor_str message) {
  if (plan_.events.size() >= max_entries) return fail("gives more than " + std::to_string(max_entries) + " events");
  if (type != KONDUCTOR_EVENT_NORMAL && type != KONDUCTOR_EVENT_WARNING) {
    fail("gives an event of the unknown type " + std::to_string(type));
  }
  plan_.events.push_back({type == KONDUCTOR_EVENT_WARNING, reason_word(reason, true, "the reason of an event"),
                          words(message, max_message, "the message of an event")});
}

}  // namespace konductor::host
