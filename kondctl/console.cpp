#include "kondctl/console.hpp"

#include <ostream>

namespace konductor::kondctl {

void Console::print(std::string_view text) {
  out_ << text << std::flush;
}

void Console::error(std::string_view sentence) {
  err_ << "kondctl: " << sentence << '\n' << std::flush;
}

void Console::note(std::string_view sentence) {
  if (!quiet_) error(sentence);
}

void Console::detail(std::string_view sentence) {
  if (verbosity_ > 0) error(sentence);
}

}  // namespace konductor::kondctl
