#pragma once

#include "base/error.hpp"
#include "runtime/clock.hpp"
#include "runtime/kind.hpp"
#include "runtime/plan.hpp"

#include <konductor/plugin.h>

#include <functional>
#include <string>

namespace konductor::host {

/// Injected: measures how long a decide takes. Processor time of the thread is right: a process that is stopped, or
/// does not get the processor, is no fault of a plugin, and a quarantine lasts until a restart.
using MonoClock = std::function<runtime::MonoTime()>;

/// A decide that takes longer quarantines its kind.
inline constexpr runtime::Duration decide_limit = std::chrono::seconds{1};

/// The C++ face of a plugin's `decide`. It hands the observation over in the structs of the ABI, collects what the
/// plugin says, and checks it against the contract:
///  - a breach (an index out of range, a second verdict on one claim, state that is not JSON, more than a second, ...)
///  is
///    Errc::plugin_incompatible with a sentence that names plugin, kind and breach;
///  - a non-zero return is Errc::invalid: the plugin does not understand the spec or the state.
///
/// `kind` supplies mode and claim fields; `who` starts every reason: "plugin widgets: kind Widget". Copies of the
/// result share their buffers: one thread only, and no decide inside a decide.
///
/// Rationale: a C++ exception that leaves decide, or a sink function that runs out of memory, terminates the process:
/// both are noexcept, and no state of a foreign compiler's unwinding can be trusted.
std::function<Result<runtime::Plan>(const runtime::Observation&)> adapt_decide(konductor_decide decide,
                                                                               const runtime::KindDeclaration& kind,
                                                                               std::string who, MonoClock clock);

}  // namespace konductor::host
