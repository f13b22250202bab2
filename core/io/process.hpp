#pragma once

#include <string>

namespace konductor::io {

/// The file of the running program, resolved.
std::string executable_path();

/// "HOST_8f3a91c0b2d47e65": names this process among all that may ever contend with it.
std::string unique_identity();

}  // namespace konductor::io
