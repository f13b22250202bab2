#pragma once

#include "base/error.hpp"

#include <bitset>
#include <csignal>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace konductor::io {

inline constexpr int last_signal = 64;

/// How a command ended.
struct CommandEnd {
  int code = 0;    // as a shell says it: 128+n where a signal ended it
  int signal = 0;  // that ended it
};

/// One command with all that it starts: a process group of its own. Its standard input and output are ours, and so is
/// every file that this process inherited. Where we are in the foreground of a terminal it takes our place there: what
/// is typed goes to it, Ctrl-C and Ctrl-Z too.
class CommandGroup {
 public:
  /// Remembers which files and signals were inherited: to be made before others are opened or caught.
  CommandGroup();
  ~CommandGroup();
  CommandGroup(const CommandGroup&) = delete;
  CommandGroup& operator=(const CommandGroup&) = delete;

  /// `before` is called with the group's number, before anything runs in it. The first word is a path or a name for
  /// PATH. Errc::not_found where there is no such program; any other error: it can't be executed.
  Result<void> start(std::vector<std::string> words, const std::vector<std::string>& environment,
                     const std::function<void(pid_t)>& before);
  /// Whoever started us wanted this signal to be ignored.
  [[nodiscard]] bool was_ignored(int number) const { return ignored_.test(static_cast<std::size_t>(number)); }
  /// To all of the group.
  void signal(int number) const;
  /// After SIGCHLD: whether it has ended; what it left running in its group is killed then, and `before` called before
  /// its number can become another's. One that the terminal has suspended suspends us too, as a shell expects.
  std::optional<CommandEnd> look(const std::function<void()>& before);
  /// After SIGCONT: goes on, with it, in the foreground if we are.
  void resume();
  /// Whether anything is left in the group of a command that has ended: what was killed needs a moment.
  [[nodiscard]] bool has_remains() const;
  /// Of its first process, until that was collected; else -1.
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void suspend(int number);
  void give_terminal(pid_t group) const;
  [[nodiscard]] bool may_take_terminal() const;

  std::vector<int> inherited_;  // file descriptors above 2
  std::bitset<last_signal + 1> ignored_;
  sigset_t blocked_{};
  int terminal_ = -1;  // -1: there is none
  bool gave_ = false;  // the command has our place at the terminal
  pid_t pid_ = -1;     // of its first process, until that was collected
  pid_t group_ = -1;
};

/// For whom is process 1 of its PID namespace: collects what lost its parent there. Does nothing for others.
void collect_orphans(const std::vector<pid_t>& but);

}  // namespace konductor::io
