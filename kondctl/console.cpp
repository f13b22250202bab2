#include "kondctl/console.hpp"

#include "kube/text.hpp"

#include <cstddef>
#include <ostream>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace konductor::kondctl {

namespace {

constexpr std::size_t longest_sentence = 4000;  // with what is around it less than what a pipe takes at once
constexpr int moment_ms = 20;

}  // namespace

void Console::print(std::string_view text) {
  if (finds_room(STDOUT_FILENO)) out_ << text << std::flush;
}

bool Console::has_failed() const {
  return !out_;
}

void Console::error(std::string_view sentence) {
  if (finds_room(STDERR_FILENO)) err_ << "kondctl: " + kube::one_line(sentence, longest_sentence) + '\n' << std::flush;
}

void Console::note(std::string_view sentence) {
  if (!quiet_) error(sentence);
}

void Console::detail(std::string_view sentence) {
  if (verbosity_ > 0) error(sentence);
}

// What is wrong with the file is for the write to find.
bool Console::finds_room(int file) const {
  pollfd asked{file, POLLOUT, 0};
  return waits_ || poll(&asked, 1, moment_ms) != 0;
}

}  // namespace konductor::kondctl
