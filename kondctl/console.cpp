#include "kondctl/console.hpp"

#include "kube/text.hpp"

#include <cstddef>
#include <ostream>

namespace konductor::kondctl {

namespace {

constexpr std::size_t longest_sentence = 4000;

}  // namespace

void Console::print(std::string_view text) {
  out_ << text << std::flush;
}

bool Console::has_lost_results() const {
  return !out_;
}

void Console::error(std::string_view sentence) {
  err_ << "kondctl: " << kube::one_line(sentence, longest_sentence) << '\n' << std::flush;
}

void Console::note(std::string_view sentence) {
  if (!quiet_) error(sentence);
}

void Console::detail(std::string_view sentence) {
  if (verbosity_ > 0) error(sentence);
}

}  // namespace konductor::kondctl
