#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace konductor::host {

/// What stat() says of one path, as a value.
struct PathFacts {
  enum class Type { regular, directory, other };
  std::string path;
  Type type = Type::other;
  std::uint32_t mode = 0;  // permission bits with set-id and sticky: 01777
  std::uint32_t owner = 0;
};

/// Why code from this file would not be trusted, as a sentence that names the path and what to do; empty: it would.
/// `chain` is the resolved file and then each parent directory up to "/"; `user` the effective user id. Whoever can
/// write to the file or to a directory above it could put other code there.
std::string why_not_trusted(std::span<const PathFacts> chain, std::uint32_t user);

}  // namespace konductor::host
