#pragma once

#include "base/error.hpp"
#include "runtime/kind.hpp"
#include "runtime/plan.hpp"

#include <konductor/plugin.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace konductor::host {

/// Collects what one decide says into a Plan, and notes the first breach of the contract; later output is then ignored.
/// Reused from one decide to the next, for its buffers.
class Sink {
 public:
  explicit Sink(runtime::Mode mode);
  Sink(const Sink&) = delete;  // the C struct points to its Sink
  Sink& operator=(const Sink&) = delete;

  /// `observation` must outlive the decide.
  void begin(const runtime::Observation& observation);
  [[nodiscard]] const konductor_sink& c_sink() const { return c_sink_; }

  /// What the plugin did wrong, as the rest of a sentence; empty: nothing.
  [[nodiscard]] const std::string& breach() const { return breach_; }
  /// The plugin's own words, where it fails: of the condition or event it set last.
  [[nodiscard]] std::string last_words() const;
  runtime::Plan take_plan();

  // The functions of the C struct, as members. They copy.
  void verdict(std::size_t index, const konductor_verdict* given);
  void state(konductor_str json);
  void status(konductor_str json);
  void condition(konductor_str type, konductor_condition_status status, konductor_str reason, konductor_str message);
  void need(const konductor_need* given);
  void look_again_at(std::int64_t time);
  void event(konductor_event_type type, konductor_str reason, konductor_str message);

 private:
  void fail(const std::string& what);
  /// Text for people, cut to what the API takes; a breach if it is no text.
  std::string words(konductor_str text, std::size_t max_bytes, std::string_view what);
  /// A CamelCase word as conditions and Events want it.
  std::string reason_word(konductor_str text, bool required, std::string_view what);
  std::string object_text(konductor_str json, std::string_view what);
  std::string check_transition(std::size_t index, runtime::VerdictKind kind) const;
  std::string check_need(const runtime::Need& need) const;

  runtime::Mode mode_;
  konductor_sink c_sink_;
  const runtime::Observation* observation_ = nullptr;
  runtime::Plan plan_;
  std::string breach_;
  std::vector<bool> judged_;  // by claim index
  std::uint32_t grants_ = 0;
};

}  // namespace konductor::host
