#pragma once

#include <konductor/claim.hpp>
#include <konductor/plugin.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

/// The C++17 side of a kind's decision: its input as ranges and views, its output as calls.
namespace konductor::plugin {

// ---------------------------------------------------------------- input

/// The input of one decision, and a range of its claims in the order in which they are to be served.
class Input {
 public:
  explicit Input(const konductor_input& input) noexcept : input_(&input) {}

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Claim;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Claim;

    Iterator(const konductor_claim* const* claims, std::size_t index) noexcept : claims_(claims), index_(index) {}
    Claim operator*() const noexcept { return {*claims_[index_], index_}; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    Iterator operator++(int) noexcept {
      const Iterator before = *this;
      ++index_;
      return before;
    }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }
    bool operator!=(const Iterator& other) const noexcept { return index_ != other.index_; }

   private:
    const konductor_claim* const* claims_;
    std::size_t index_;
  };

  [[nodiscard]] std::string_view spec() const noexcept { return view(input_->spec); }
  [[nodiscard]] std::string_view state() const noexcept { return view(input_->state); }
  [[nodiscard]] std::string_view name() const noexcept { return view(input_->name); }
  [[nodiscard]] std::string_view namespace_name() const noexcept { return view(input_->namespace_name); }
  [[nodiscard]] std::int64_t now() const noexcept { return input_->now; }
  [[nodiscard]] std::size_t max_grants() const noexcept { return input_->max_grants; }
  [[nodiscard]] std::size_t size() const noexcept { return input_->claim_count; }
  [[nodiscard]] Claim operator[](std::size_t index) const noexcept { return {*input_->claims[index], index}; }
  [[nodiscard]] Iterator begin() const noexcept { return {input_->claims, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {input_->claims, input_->claim_count}; }
  [[nodiscard]] std::size_t observed_count() const noexcept { return input_->observed_count; }
  [[nodiscard]] const konductor_observed& observed(std::size_t index) const noexcept {
    return *input_->observed[index];
  }
  [[nodiscard]] const konductor_input& raw() const noexcept { return *input_; }

 private:
  const konductor_input* input_;
};

// ---------------------------------------------------------------- output

/// Where decide puts its output; each call copies what it is given. Only valid during that decide.
class Sink {
 public:
  explicit Sink(const konductor_sink& sink) noexcept : sink_(&sink) {}

  void grant(std::size_t claim) const noexcept { verdict(claim, KONDUCTOR_GRANT, {}, {}, 0); }
  /// For what is used up and not held: the kind's `state` has to remember it.
  void grant_consume(std::size_t claim) const noexcept { verdict(claim, KONDUCTOR_GRANT_CONSUME, {}, {}, 0); }
  /// `reason` is one CamelCase word, `message` a sentence for people.
  void wait(std::size_t claim, std::string_view reason, std::string_view message = {}) const noexcept {
    verdict(claim, KONDUCTOR_WAIT, reason, message, 0);
  }
  void deny(std::size_t claim, std::string_view reason, std::string_view message) const noexcept {
    verdict(claim, KONDUCTOR_DENY, reason, message, 0);
  }
  /// `grace` in microseconds.
  void revoke(std::size_t claim, std::string_view reason, std::string_view message, std::int64_t grace) const noexcept {
    verdict(claim, KONDUCTOR_REVOKE, reason, message, grace);
  }
  /// A claim that is only counted is needed no longer.
  void discard(std::size_t claim) const noexcept { verdict(claim, KONDUCTOR_DISCARD, {}, {}, 0); }
  void state(std::string_view json) const noexcept { sink_->state(sink_->context, str(json)); }
  void status(std::string_view json) const noexcept { sink_->status(sink_->context, str(json)); }
  void condition(std::string_view type, konductor_condition_status status, std::string_view reason,
                 std::string_view message) const noexcept {
    sink_->condition(sink_->context, str(type), status, str(reason), str(message));
  }
  void need(konductor_need need) const noexcept {
    need.struct_size = sizeof(need);
    sink_->need(sink_->context, &need);
  }
  void look_again_at(std::int64_t time) const noexcept { sink_->look_again_at(sink_->context, time); }
  void event(konductor_event_type type, std::string_view reason, std::string_view message) const noexcept {
    sink_->event(sink_->context, type, str(reason), str(message));
  }

 private:
  void verdict(std::size_t claim, konductor_verdict_kind kind, std::string_view reason, std::string_view message,
               std::int64_t grace) const noexcept {
    const konductor_verdict given = {sizeof(konductor_verdict), kind, str(reason), str(message), grace};
    sink_->verdict(sink_->context, claim, &given);
  }

  const konductor_sink* sink_;
};

enum class Answer : std::int32_t {
  decided = 0,
  not_understood = 1  // the spec or the state: nothing of the output is used, the primitive grants nothing
};

/// Makes `Answer Decide(const Input&, const Sink&)` a konductor_decide. An exception (bad_alloc, say) counts as not
/// understood.
template <auto Decide>
std::int32_t guarded(const konductor_input* input, const konductor_sink* sink) noexcept {
  try {
    return static_cast<std::int32_t>(Decide(Input(*input), Sink(*sink)));
  } catch (...) {
    return static_cast<std::int32_t>(Answer::not_understood);
  }
}

}  // namespace konductor::plugin
