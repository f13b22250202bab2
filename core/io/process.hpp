#pragma once

#include <cstddef>
#include <string>

namespace konductor::io {

/// The file of the running program, resolved.
std::string executable_path();

/// "HOST_8f3a91c0b2d47e65": names this process among all that may ever contend with it.
std::string unique_identity();

/// Raises this process's limit of open files to what it may be, and gives the limit.
std::size_t raise_file_limit();

}  // namespace konductor::io
