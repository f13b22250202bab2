#include "io/command_group.hpp"

#include "io/child_process.hpp"
#include "io/pipe.hpp"
#include "io/process.hpp"

#include <algorithm>
#include <bitset>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace konductor::io {

namespace {

constexpr int signal_base = 128;
constexpr unsigned close_on_exec = 4;  // CLOSE_RANGE_CLOEXEC, Linux 5.11

std::vector<int> inherited_files() {
  std::vector<int> files;
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return files;
  while (const dirent* entry = readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string_view name = entry->d_name;
    int file = -1;
    if (std::from_chars(name.data(), name.data() + name.size(), file).ec != std::errc{}) continue;
    const int flags = fcntl(file, F_GETFD);
    if (file > STDERR_FILENO && flags >= 0 && (flags & FD_CLOEXEC) == 0) files.push_back(file);
  }
  closedir(folder);
  std::ranges::sort(files);
  return files;
}

std::bitset<last_signal + 1> ignored_signals() {
  std::bitset<last_signal + 1> ignored;
  for (int number = 1; number <= last_signal; ++number) {
    struct sigaction now{};
    ignored[static_cast<std::size_t>(number)] = sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
  }
  return ignored;
}

struct ToRun {
  char** words;
  char** environment;
  const int* kept;  // file descriptors, in order
  std::size_t kept_count;
  const std::bitset<last_signal + 1>* ignored;
  const sigset_t* mask;
  pid_t parent;
  int terminal;  // -1: no place there to take
  int go;        // gives a byte once it may run; its end: never
  int failure;   // gets errno
};

void keep_only(const int* kept, std::size_t count) {
  unsigned from = STDERR_FILENO + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto file = static_cast<unsigned>(kept[i]);
    if (file > from) syscall(SYS_close_range, from, file - 1, close_on_exec);
    from = file + 1;
  }
  syscall(SYS_close_range, from, ~0U, close_on_exec);
}

// In the child, perhaps beside other threads of the parent: only what is safe in a signal handler. Never returns.
[[noreturn]] void become(const ToRun& what) {
  setpgid(0, 0);
  // Beside the guard: where somebody kills both at once, at least this process does not go on.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != what.parent) _exit(signal_base - 1);
  if (what.terminal >= 0) tcsetpgrp(what.terminal, getpid());  // all signals are blocked, SIGTTOU too
  char go = 0;
  ssize_t told = 0;
  do {
    told = read(what.go, &go, 1);
  } while (told < 0 && errno == EINTR);
  if (told != 1) _exit(signal_base - 1);
  // What is ignored stays so over an exec: that is for whoever started us to say. A handler of ours must not run here.
  for (int number = 1; number <= last_signal; ++number) {
    signal(number, what.ignored->test(static_cast<std::size_t>(number)) ? SIG_IGN : SIG_DFL);
  }
  pthread_sigmask(SIG_SETMASK, what.mask, nullptr);
  keep_only(what.kept, what.kept_count);
  environ = what.environment;
  execvp(what.words[0], what.words);
  const int code = errno;
  [[maybe_unused]] const auto written = write(what.failure, &code, sizeof code);
  _exit(signal_base - 1);
}

Error could_not(int code) {
  return Error{Errc::unavailable, "could not be run: " + std::generic_category().message(code), 0};
}

}  // namespace

CommandGroup::CommandGroup()
    : inherited_(inherited_files()),
      ignored_(ignored_signals()),
      terminal_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked_);
}

CommandGroup::~CommandGroup() {
  if (pid_ > 0) signal(SIGKILL);
  if (terminal_ >= 0) close(terminal_);
}

Result<void> CommandGroup::start(std::vector<std::string> words, const std::vector<std::string>& environment,
                                 const std::function<void(pid_t)>& before) {
  Pipe go;
  Pipe failure;
  if (!go.good() || !failure.good()) return could_not(errno);
  std::vector<std::string> variables = merged_environment(environment);
  std::vector<char*> word_list = pointers_to(words);
  std::vector<char*> variable_list = pointers_to(variables);
  gave_ = may_take_terminal();
  // Ours is a group in the background from then on: what we say on the terminal must not stop us.
  if (gave_) std::signal(SIGTTOU, SIG_IGN);
  sigset_t all;
  sigset_t mask;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask);
  const ToRun what{
      word_list.data(), variable_list.data(),   inherited_.data(), inherited_.size(),  &ignored_, &blocked_,
      getpid(),         gave_ ? terminal_ : -1, go.read_end(),     failure.write_end()};
  const pid_t child = fork();
  if (child == 0) {
    close(go.write_end());
    become(what);
  }
  const int fork_failed = errno;
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if (child < 0) return could_not(fork_failed);
  pid_ = group_ = child;
  setpgid(child, child);  // whoever comes first: it must be there before it is killed
  before(group_);
  [[maybe_unused]] const auto written = write(go.write_end(), "g", 1);
  failure.close_write_end();
  const int code = failure.read_failure();
  if (code == 0) return {};
  waitpid(std::exchange(pid_, -1), nullptr, 0);
  if (std::exchange(gave_, false)) give_terminal(getpgrp());
  Error error = could_not(code);
  error.code = code == ENOENT ? Errc::not_found : Errc::bad_config;
  return error;
}

void CommandGroup::signal(int number) const {
  if (pid_ > 0) kill(-group_, number);
}

std::optional<CommandEnd> CommandGroup::look(const std::function<void()>& before) {
  while (pid_ > 0) {
    siginfo_t seen{};
    const int kinds = WEXITED | WSTOPPED | WNOHANG | WNOWAIT;
    if (waitid(P_PID, static_cast<id_t>(pid_), &seen, kinds) != 0 || seen.si_pid == 0) return std::nullopt;
    if (seen.si_code == CLD_STOPPED || seen.si_code == CLD_TRAPPED) {
      const int number = seen.si_status;
      waitid(P_PID, static_cast<id_t>(pid_), &seen, WSTOPPED | WNOHANG);
      suspend(number);
      continue;
    }
    kill(-group_, SIGKILL);  // before it is collected: until then its number is nobody else's
    before();
    waitid(P_PID, static_cast<id_t>(std::exchange(pid_, -1)), &seen, WEXITED);
    if (std::exchange(gave_, false)) give_terminal(getpgrp());
    if (seen.si_code == CLD_EXITED) return CommandEnd{seen.si_status, 0};
    return CommandEnd{signal_base + seen.si_status, seen.si_status};
  }
  return std::nullopt;
}

void CommandGroup::suspend(int number) {
  const bool by_terminal = number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
  if (terminal_ < 0 || !by_terminal) return;
  // It is the shell's to give from then on: put in the background, we must not take it back.
  if (std::exchange(gave_, false)) give_terminal(getpgrp());
  kill(0, SIGTSTP);  // our whole job: the shell that started it takes the terminal back
}

void CommandGroup::resume() {
  if (pid_ < 0) return;
  if (may_take_terminal()) {
    gave_ = true;
    std::signal(SIGTTOU, SIG_IGN);
    give_terminal(group_);
  }
  kill(-group_, SIGCONT);
}

bool CommandGroup::has_remains() const {
  return group_ > 0 && kill(-group_, 0) == 0;
}

// In the middle of a pipeline it is not ours alone: who else is in our group may read from it.
bool CommandGroup::may_take_terminal() const {
  return terminal_ >= 0 && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0 && tcgetpgrp(terminal_) == getpgrp();
}

void CommandGroup::give_terminal(pid_t group) const {
  tcsetpgrp(terminal_, group);
}

void collect_orphans(const std::vector<pid_t>& but) {
  if (getpid() != 1) return;
  while (true) {
    siginfo_t seen{};
    if (waitid(P_ALL, 0, &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == 0) return;
    if (std::ranges::find(but, seen.si_pid) != but.end() || ChildProcess::awaits(seen.si_pid)) return;
    waitid(P_PID, static_cast<id_t>(seen.si_pid), &seen, WEXITED | WNOHANG);
  }
}

}  // namespace konductor::io
