#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace konductor::host {

/// A copy of a GROWS struct of the ABI. What lies beyond its struct_size is not read and is zero here: absent, as for a
/// plugin that was compiled against an older header.
template <class T>
T copy_growing(const T* from) {
  T copy;
  std::memset(&copy, 0, sizeof(copy));
  std::uint32_t size = 0;
  std::memcpy(&size, from, sizeof(size));  // struct_size is the first member of each
  std::memcpy(&copy, from, std::min<std::size_t>(size, sizeof(copy)));
  return copy;
}

/// Whether a GROWS struct reaches to the end of a member.
constexpr bool member_present(std::uint32_t struct_size, std::size_t offset, std::size_t size) {
  return offset + size <= struct_size;
}

}  // namespace konductor::host
