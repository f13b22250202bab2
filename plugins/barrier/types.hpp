#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Times are microseconds since the Unix epoch by the API server's clock, durations microseconds.
namespace konductor::barrier {

inline constexpr std::int64_t most_expected = 10'000;
inline constexpr std::int64_t most_round = 2'147'483'647;
inline constexpr std::int64_t shortest_timeout = 1'000'000;
inline constexpr std::int64_t longest_timeout = 8760LL * 3600 * 1'000'000;

struct Spec {
  std::int64_t expected = 1;
  std::optional<std::int64_t> quorum;   // at most `expected`
  bool at_timeout = false;              // the quorum opens at the deadline only; else at once
  std::optional<std::int64_t> timeout;  // counted from the first arrival of a round
  std::string timeout_text;             // as it stands in the spec, for people
  bool reusable = false;
};

/// An arrival, as far as it matters here.
struct ArrivalIn {
  std::string_view participant;       // who it is; several with the same one count once
  std::int64_t created = 0;           // when it was made
  std::optional<std::int64_t> round;  // that it names
  bool counts = true;                 // false: it was denied
};

/// How a round stands, with its words. What was decided of it stays as it is, whatever is edited afterwards.
struct Standing {
  std::int64_t arrived = 0;
  std::int64_t expected = 0;
  std::string reason;
  std::string message;
  std::string missing;  // empty: nobody, or nobody knows who

  bool operator==(const Standing&) const = default;
};

enum class Phase {
  waiting,
  open,   // for ever, or until somebody arrives for the next round
  failed  // for ever
};

/// What is committed, in the same write as what is shown of it.
struct State {
  std::int64_t round = 1;             // that is gathered, or was the last to open
  std::int64_t opened = 0;            // the last round that opened: round - 1, or round
  std::optional<std::int64_t> first;  // when the first arrival of `round` was made, once one was seen
  std::optional<std::int64_t> since;  // when `round` opened, where another one may follow
  std::optional<Standing> verdict;    // what was decided of `round`; there where it is open

  [[nodiscard]] Phase phase() const noexcept {
    if (!verdict) return Phase::waiting;
    return opened == round ? Phase::open : Phase::failed;
  }
  bool operator==(const State&) const = default;
};

}  // namespace konductor::barrier
