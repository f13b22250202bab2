#pragma once

#include <konductor/plugin.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// One claim as a decision sees it.
namespace konductor::plugin {

constexpr konductor_str str(std::string_view text) noexcept {
  return {text.data(), text.size()};
}
constexpr std::string_view view(konductor_str text) noexcept {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

/// One claim of the input. Borrowed, as everything of the input: valid until decide returns.
class Claim {
 public:
  Claim(const konductor_claim& claim, std::size_t index) noexcept : claim_(&claim), index_(index) {}

  /// By which the sink knows it.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  [[nodiscard]] bool waits() const noexcept { return claim_->state == KONDUCTOR_WAITING; }
  [[nodiscard]] bool ended() const noexcept { return claim_->state == KONDUCTOR_ENDED; }
  [[nodiscard]] bool revoking() const noexcept { return claim_->state == KONDUCTOR_REVOKING; }
  /// Granted, revoking, or a state that this plugin does not know yet: that counts as holding.
  [[nodiscard]] bool holds() const noexcept { return !waits() && !ended(); }
  /// True: the host denies it after this decide unless it is granted. So it should block nobody.
  [[nodiscard]] bool no_wait() const noexcept { return claim_->no_wait != 0; }

  [[nodiscard]] std::string_view uid() const noexcept { return view(claim_->uid); }
  [[nodiscard]] std::string_view key() const noexcept { return view(claim_->key); }
  [[nodiscard]] std::string_view holder() const noexcept { return view(claim_->holder); }
  [[nodiscard]] std::int64_t units() const noexcept { return claim_->units; }
  [[nodiscard]] std::int64_t priority() const noexcept { return claim_->priority; }
  [[nodiscard]] std::int64_t created() const noexcept { return claim_->created; }
  [[nodiscard]] std::string_view outcome() const noexcept { return view(claim_->outcome); }
  /// Who this is, of kinds with a participant field. Empty where the host is too old to say.
  [[nodiscard]] std::string_view participant() const noexcept {
    constexpr std::size_t end = offsetof(konductor_claim, participant) + sizeof(konductor_str);
    return claim_->struct_size < end ? std::string_view() : view(claim_->participant);
  }

  /// The declared claim field of that number (from 0), empty where the object lacks it or it is of another type.
  [[nodiscard]] std::optional<std::string_view> string(std::size_t field) const noexcept {
    const konductor_value* value = typed(field, KONDUCTOR_STRING);
    return value == nullptr ? std::nullopt : std::optional(view(value->string));
  }
  [[nodiscard]] std::optional<std::int64_t> integer(std::size_t field) const noexcept {
    return number(field, KONDUCTOR_INTEGER);
  }
  [[nodiscard]] std::optional<bool> boolean(std::size_t field) const noexcept {
    const auto value = number(field, KONDUCTOR_BOOLEAN);
    return value ? std::optional(*value != 0) : std::nullopt;
  }
  /// In microseconds.
  [[nodiscard]] std::optional<std::int64_t> duration(std::size_t field) const noexcept {
    return number(field, KONDUCTOR_DURATION);
  }

  [[nodiscard]] const konductor_claim& raw() const noexcept { return *claim_; }

 private:
  [[nodiscard]] const konductor_value* typed(std::size_t field, konductor_value_type type) const noexcept {
    if (field >= claim_->field_count) return nullptr;
    const konductor_value& value = claim_->fields[field];
    return value.present != 0 && value.type == type ? &value : nullptr;
  }
  [[nodiscard]] std::optional<std::int64_t> number(std::size_t field, konductor_value_type type) const noexcept {
    const konductor_value* value = typed(field, type);
    return value == nullptr ? std::nullopt : std::optional(value->integer);
  }

  const konductor_claim* claim_;
  std::size_t index_;
};

}  // namespace konductor::plugin
