#include "kube/line_splitter.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace konductor::kube {

Result<std::vector<std::string>> LineSplitter::feed(std::string_view chunk) {
  std::vector<std::string> lines;
  while (!broken_) {
    const std::size_t end = chunk.find('\n');
    const std::string_view piece = chunk.substr(0, end);
    if (piece.size() > max_line_ - rest_.size()) {
      broken_ = true;
      rest_.clear();
      break;
    }
    rest_ += piece;
    if (end == std::string_view::npos) return lines;
    chunk.remove_prefix(end + 1);
    if (rest_.ends_with('\r')) rest_.pop_back();
    if (!rest_.empty()) lines.push_back(std::exchange(rest_, {}));
  }
  return Error{Errc::protocol_violation,
               "the server sent a line of more than " + std::to_string(max_line_) + " bytes in a watch stream"};
}

}  // namespace konductor::kube
