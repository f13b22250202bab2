#include "fuzz/fuzz.hpp"
#include "kube/line_splitter.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace konductor;
using fuzz::expect;

constexpr std::size_t longest = 64;

struct Outcome {
  std::vector<std::string> lines;
  bool broken = false;
};

Outcome split_in(const std::vector<std::string_view>& pieces) {
  kube::LineSplitter splitter(longest);
  Outcome outcome;
  for (const std::string_view piece : pieces) {
    const auto lines = splitter.feed(piece);
    if (lines) {
      expect(!outcome.broken, "a broken stream stays broken");
      outcome.lines.insert(outcome.lines.end(), lines->begin(), lines->end());
    } else {
      expect(lines.error().code == Errc::protocol_violation && !lines.error().detail.empty(),
             "the error has a sentence");
      outcome.broken = true;
    }
  }
  return outcome;
}

bool is_longer(std::string_view line) {
  return line.size() > longest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::Numbers numbers(text);
  const Outcome whole = split_in({text});
  const Outcome bytewise = split_in(fuzz::cut(text, numbers, 1));
  const Outcome cut = split_in(fuzz::cut(text, numbers, 2 * longest));

  // A stream that breaks is listed again, so lines of the chunk that breaks it may be dropped.
  expect(whole.broken == bytewise.broken && cut.broken == bytewise.broken, "where a stream is cut does not break it");
  expect(whole.broken || whole.lines == bytewise.lines, "one chunk gives the lines of single bytes");
  expect(cut.broken || cut.lines == bytewise.lines, "any chunks give the lines of single bytes");

  const std::vector<std::string> pieces = fuzz::split(text);
  expect(bytewise.broken == std::ranges::any_of(pieces, is_longer), "only a line that is too long breaks the stream");
  std::vector<std::string> expected;
  for (std::size_t i = 0; i + 1 < pieces.size() && !is_longer(pieces[i]); ++i) {
    const std::string line = pieces[i].ends_with('\r') ? pieces[i].substr(0, pieces[i].size() - 1) : pieces[i];
    if (!line.empty()) expected.push_back(line);
  }
  expect(bytewise.lines == expected, "the lines are what stands between the line ends, without empty ones");
  return 0;
}
