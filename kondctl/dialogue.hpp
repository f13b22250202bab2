#pragma once

#include "base/error.hpp"
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

/// What a machine and its driver say to each other. Machines are pure and total: they take what happened and say what
/// to do, so that simulation runs the very objects that kondctl runs.
namespace konductor::kondctl {

using runtime::Duration;
using runtime::MonoTime;
using runtime::Now;

struct DialogueSettings {
  std::optional<MonoTime> deadline;                  // --timeout; without --wait in place of the patience
  Duration patience = std::chrono::seconds{10};      // without --wait: how long to try for an answer
  Duration request_time = std::chrono::seconds{10};  // the most that one request may take
  Duration retry_first = std::chrono::milliseconds{100};
  Duration retry_most = std::chrono::seconds{5};
  Duration poll_first = std::chrono::milliseconds{250};  // where the server allows no watch
  Duration progress_every = std::chrono::minutes{1};     // the least between two words about the waiting
  bool progress_again = true;                            // and whether they are said again when nothing is new
  std::uint64_t seed = 0;                                // of the jitter
};

/// What happened. Events that answer to nothing asked for (an old watch, an old id) are ignored.
struct Answered {
  std::uint64_t id = 0;
  Result<kube::Response> answer;  // an Error where there was none: then it may have been executed
};
struct ObjectSeen {
  std::uint64_t watch = 0;
  std::shared_ptr<const nlohmann::json> object;
};
struct ObjectGone {
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
using DialogueEvent = std::variant<Woken, Answered, ObjectSeen, ObjectGone, WatchEnded, Signalled>;

/// What to do next.
struct DialogueStep {
  struct Sending {
    std::uint64_t id = 0;
    kube::Request request;
    Duration time{0};  // the most that it may take
  };
  struct Watching {
    std::uint64_t id = 0;
    kube::Request request;
  };
  std::vector<Sending> send;        // at once, side by side
  std::optional<Watching> watch;    // start this one, in place of an earlier one
  std::optional<MonoTime> wake_at;  // send Woken then, unless something else happens before
  std::vector<std::string> notes;   // for stderr
};

}  // namespace konductor::kondctl
