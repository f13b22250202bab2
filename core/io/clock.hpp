#pragma once

#include "runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>

namespace konductor::io {

/// CLOCK_BOOTTIME: goes on while the machine is suspended, never back.
runtime::MonoTime mono_now() noexcept;

/// Processor time of the calling thread: stands still while the process is stopped, or others have the processor. Only
/// the difference of two means something.
runtime::MonoTime thread_now() noexcept;

/// Our own wall clock; only a stand-in until the API server has said its time.
runtime::WallTime wall_now() noexcept;

/// The clock of mono_now() in the shape that Asio wants.
struct BootClock {
  using duration = runtime::Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = runtime::MonoTime;
  static constexpr bool is_steady = true;
  static time_point now() noexcept { return mono_now(); }
};

/// The kernel's timers stand still during a suspend; looking again each second bounds how late one can be after it.
struct BootWaitTraits {
  static runtime::Duration to_wait_duration(const runtime::Duration& duration) noexcept;
  static runtime::Duration to_wait_duration(const runtime::MonoTime& time) noexcept;
};

/// The timer to wait for a runtime::MonoTime with.
using BootTimer = boost::asio::basic_waitable_timer<BootClock, BootWaitTraits, boost::asio::any_io_executor>;

}  // namespace konductor::io
