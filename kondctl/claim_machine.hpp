#pragma once

#include "base/error.hpp"
#include "kondctl/claim_codec.hpp"
#include "kondctl/exit_codes.hpp"
#include "kube/request.hpp"
#include "kube/response.hpp"
#include "runtime/clock.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace konductor::kondctl {

using runtime::Duration;
using runtime::MonoTime;
using runtime::Now;

struct ClaimSettings {
  std::optional<MonoTime> deadline;                  // --timeout; without --wait in place of the patience
  Duration patience = std::chrono::seconds{10};      // without --wait: how long to try for an operator's answer
  Duration request_time = std::chrono::seconds{10};  // the most that one request may take
  Duration deadline_grace =
      std::chrono::milliseconds{80};                   // after the deadline, to withdraw: the exit is that late at most
  Duration interrupt_grace = std::chrono::seconds{2};  // after an interrupt, to withdraw
  Duration retry_first = std::chrono::milliseconds{100};
  Duration retry_most = std::chrono::seconds{5};
  Duration poll_first = std::chrono::milliseconds{250};  // where the server allows no watch
  Duration default_ttl = std::chrono::minutes{10};
  std::uint64_t seed = 0;  // of the jitter
};

/// What happened. Events that answer to nothing asked for (an old watch, an old id) are ignored.
struct Answered {
  std::uint64_t id = 0;
  Result<kube::Response> answer;  // an Error where there was none: then it may have been executed
};
struct ClaimSeen {
  std::uint64_t watch = 0;
  std::shared_ptr<const nlohmann::json> object;
};
struct ClaimGone {
  std::uint64_t watch = 0;
};
struct WatchEnded {
  std::uint64_t watch = 0;
  std::optional<Error> error;  // none: the server's time for it was over
};
enum class Signal { interrupt, terminate };
struct Signalled {
  Signal signal = Signal::interrupt;
};
struct Woken {};  // the start, and each time that wake_at has come
using ClaimEvent = std::variant<Woken, Answered, ClaimSeen, ClaimGone, WatchEnded, Signalled>;

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
    MonoTime lost_at;      // by the holder's own clock, unless it renews
    bool adopted = false;  // it was there before: the same holder asked again
  };
  std::optional<Grant> grant;
};

/// What to do next.
struct ClaimStep {
  struct Sending {
    std::uint64_t id = 0;
    kube::Request request;
    Duration time{0};  // the most that it may take
  };
  struct Watching {
    std::uint64_t id = 0;
    kube::Request request;
  };
  std::vector<Sending> send;           // at once, side by side
  std::optional<Watching> watch;       // start this one, in place of an earlier one
  std::optional<MonoTime> wake_at;     // send Woken then, unless something else happens before
  std::optional<ClaimOutcome> finish;  // it is over; nothing else here counts
  std::vector<std::string> notes;      // for stderr
};

/// Acquires one claim: looks the primitive up, creates the claim (or finds that it is there already), watches it until
/// it is decided, and withdraws it where it gives up. Pure and total: it takes what happened and says what to do, so
/// that simulation runs the very object that kondctl runs.
class ClaimMachine {
 public:
  ClaimMachine(ClaimWish wish, ClaimSettings settings, MonoTime started);
  ~ClaimMachine();
  ClaimMachine(ClaimMachine&&) noexcept;
  ClaimMachine& operator=(ClaimMachine&&) noexcept;

  [[nodiscard]] ClaimStep resume(const ClaimEvent& event, Now now);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace konductor::kondctl
