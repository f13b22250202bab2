#pragma once

#include "runtime/kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace konductor::kondctl {

/// Of the round that somebody waits for; nothing where the primitive has none.
using Round = std::optional<std::int64_t>;

/// What a primitive's status means to who waits for it.
struct WaitVerdict {
  enum class Kind {
    waiting,
    served,
    failed  // nobody who waits for this round is served any more
  } kind = Kind::waiting;
  std::string words;  // of the condition that says why
};
[[nodiscard]] WaitVerdict wait_verdict(const nlohmann::json& primitive, const runtime::WaitDeclaration& wait,
                                       Round round);

/// Whether this primitive serves in rounds.
[[nodiscard]] bool has_rounds(const nlohmann::json& primitive, const runtime::WaitDeclaration& wait);

/// An operator has written what became of it.
[[nodiscard]] bool has_status(const nlohmann::json& primitive);

}  // namespace konductor::kondctl
