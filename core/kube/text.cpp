#include "kube/text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace konductor::kube {

std::string one_line(std::string_view text, std::size_t limit) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool blank = byte <= 0x20 || byte == 0x7f;
    if (blank && (line.empty() || line.back() == ' ')) continue;
    line += blank ? ' ' : c;
    if (line.size() > limit) break;
  }
  if (line.size() > limit) {
    // Do not cut a UTF-8 sequence in two.
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80U) --end;
    line.resize(end);
    return line + "...";
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string quoted(std::string_view text) {
  return '"' + one_line(text, 80) + '"';
}

}  // namespace konductor::kube
