#pragma once

#include "kondctl/claim_codec.hpp"
#include "kondctl/dialogue.hpp"
#include "kondctl/exit_codes.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace konductor::kondctl {

struct ClaimSettings : DialogueSettings {
  Duration deadline_grace =
      std::chrono::milliseconds{80};                   // after the deadline, to withdraw: the exit is that late at most
  Duration interrupt_grace = std::chrono::seconds{2};  // after an interrupt, to withdraw
  Duration default_ttl = std::chrono::minutes{10};
  /// Words for the place in line of the waiting claim with this UID, from a list of the primitive's claims; where there
  /// is no such function nobody asks for that list. The primitive is as it was when the waiting began.
  std::function<std::string(const nlohmann::json& primitive, const nlohmann::json& claims, const std::string& uid)>
      place_in_line;
};

/// What it came to.
struct ClaimOutcome {
  ExitCode code = ExitCode::failed;
  std::string message;  // for people; empty when granted
  /// Of a claim that is held; empty else.
  struct Grant {
    std::string uid;
    std::int64_t token = 0;
    std::int64_t units = 1;
    Duration ttl{0};
    MonoTime lost_at;         // by the holder's own clock, unless it renews
    bool adopted = false;     // it was there before: the same holder asked again
    std::uint64_t watch = 0;  // that goes on telling what becomes of it; 0: none does
  };
  std::optional<Grant> grant;
};

struct ClaimStep : DialogueStep {
  std::optional<ClaimOutcome> finish;  // it is over; nothing else here counts
  std::optional<std::string> claim;    // the UID of the claim that is ours from here on, or that is to be replaced
};

/// Acquires one claim: looks the primitive up, creates the claim (or finds that it is there already), watches it until
/// it is decided, and withdraws it where it gives up.
class ClaimMachine {
 public:
  using Outcome = ClaimOutcome;

  ClaimMachine(ClaimWish wish, ClaimSettings settings, MonoTime started);
  ~ClaimMachine();
  ClaimMachine(ClaimMachine&&) noexcept;
  ClaimMachine& operator=(ClaimMachine&&) noexcept;

  [[nodiscard]] ClaimStep resume(const DialogueEvent& event, Now now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace konductor::kondctl
