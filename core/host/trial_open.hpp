#pragma once

#include <chrono>
#include <string>

namespace konductor::host {

/// Opens a shared library in a child process, so that its static constructors may throw, crash, exit or hang there. Why
/// it did not open, as the rest of a sentence after the file's name; empty: it did. Forks: before there are threads.
std::string why_not_opened_in_child(const std::string& file, std::chrono::milliseconds limit);

}  // namespace konductor::host
