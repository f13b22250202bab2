#include "io/child_process.hpp"

#include "io/pipe.hpp"
#include "io/process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace konductor::io {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t most_out = std::size_t{1} << 20U;
constexpr std::size_t most_err = std::size_t{16} << 10U;

std::string words_of(int code) {
  return std::generic_category().message(code);
}

bool is_program(const std::string& path) {
  struct stat found{};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && access(path.c_str(), X_OK) == 0;
}

/// The file that `name` stands for; a relative folder of PATH does not count.
Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (access(name.c_str(), F_OK) != 0) return Error{Errc::not_found, "was not found: " + words_of(errno)};
    return name;
  }
  const char* const variable = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing sets variables
  std::string_view path = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  while (!path.empty()) {
    const auto colon = path.find(':');
    const std::string folder(path.substr(0, colon));
    path = colon == std::string_view::npos ? std::string_view{} : path.substr(colon + 1);
    if (!folder.starts_with('/')) continue;
    if (std::string file = folder + "/" + name; is_program(file)) return file;
  }
  return Error{Errc::not_found, "was not found on PATH"};
}

/// All that were started and not collected.
std::vector<pid_t>& running() {
  static std::vector<pid_t> pids;
  return pids;
}

struct ToExecute {
  const char* path;
  char** arguments;
  char** environment;
  int out;
  int err;      // -1: ours
  int nothing;  // -1: standard input is ours
  int failure;  // gets errno
  pid_t parent;
  bool own_group;
  int most_files;
};

/// Asio opens its sockets without O_CLOEXEC.
void keep_files(int most_files) {
  constexpr unsigned close_on_exec = 4;  // CLOSE_RANGE_CLOEXEC, Linux 5.11
  if (syscall(SYS_close_range, 3U, ~0U, close_on_exec) == 0) return;
  for (int file = 3; file < most_files; ++file) fcntl(file, F_SETFD, FD_CLOEXEC);
}

int most_files() {
  constexpr rlim_t bound = 1U << 16U;
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<int>(std::min(limit.rlim_cur, bound)) : 1024;
}

/// In the child, beside other threads of the parent: only what is safe in a signal handler. Never returns.
[[noreturn]] void execute(const ToExecute& what) {
  if (what.own_group) setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != what.parent) _exit(127);
  // What is ignored stays so over an exec, and a handler of ours must not run in here.
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  if (what.nothing >= 0) dup2(what.nothing, STDIN_FILENO);
  dup2(what.out, STDOUT_FILENO);
  if (what.err >= 0) dup2(what.err, STDERR_FILENO);
  keep_files(what.most_files);
  execve(what.path, what.arguments, what.environment);
  const int code = errno;
  [[maybe_unused]] const auto told = write(what.failure, &code, sizeof code);
  _exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const asio::any_io_executor& executor, OnEnd on_end)
    : end_(executor), out_(executor), err_(executor), on_end_(std::move(on_end)) {
  out_.most = most_out;
  err_.most = most_err;
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  // The event loop is gone, and with it who would have collected it.
  kill_all();
  collected();
  waitpid(pid_, nullptr, WNOHANG);
}

bool ChildProcess::awaits(pid_t pid) {
  return std::ranges::find(running(), pid) != running().end();
}

void ChildProcess::collected() const {
  std::erase(running(), pid_);
}

Result<std::shared_ptr<ChildProcess>> ChildProcess::start(const asio::any_io_executor& executor,
                                                          const ChildCommand& command, OnEnd on_end) {
  const auto path = find_program(command.words.front());
  if (!path) return path.error();
  std::shared_ptr<ChildProcess> child(new ChildProcess(executor, std::move(on_end)));
  const auto spawned = child->spawn(command, *path);
  if (!spawned) return spawned.error();
  child->await_end();
  child->await_output(child->out_);
  child->await_output(child->err_);
  return child;
}

Result<void> ChildProcess::spawn(const ChildCommand& command, const std::string& path) {
  Pipe out;
  Pipe err;
  Pipe failure;
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (!out.good() || !err.good() || !failure.good() || nothing < 0) {
    if (nothing >= 0) close(nothing);
    return Error{Errc::unavailable, "could not be run: " + words_of(errno)};
  }
  std::vector<std::string> words = command.words;
  std::vector<std::string> environment = merged_environment(command.environment);
  std::vector<char*> arguments = pointers_to(words);
  std::vector<char*> variables = pointers_to(environment);
  own_group_ = !command.terminal;
  const ToExecute what{path.c_str(),
                       arguments.data(),
                       variables.data(),
                       out.write_end(),
                       command.terminal ? -1 : err.write_end(),
                       command.terminal ? -1 : nothing,
                       failure.write_end(),
                       getpid(),
                       own_group_,
                       most_files()};
  // Where that is ignored, inherited from who started us, its end is told to nobody.
  struct sigaction children{};
  if (sigaction(SIGCHLD, nullptr, &children) == 0 && children.sa_handler == SIG_IGN) std::signal(SIGCHLD, SIG_DFL);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = fork();
  if (child == 0) execute(what);
  const int fork_failed = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(nothing);
  if (child < 0) return Error{Errc::unavailable, "could not be run: " + words_of(fork_failed)};
  pid_ = child;
  running().push_back(child);
  if (own_group_) setpgid(child, child);  // whoever comes first: it must be there before it is killed
  failure.close_write_end();
  // Ends at once: by the exec, which closes the pipe, or with what made that fail.
  if (const int code = failure.read_failure(); code != 0) {
    collected();
    waitpid(std::exchange(pid_, -1), nullptr, 0);
    return Error{code == ENOENT ? Errc::not_found : Errc::bad_config, "could not be run: " + words_of(code)};
  }
  const auto watched = watch(out.take_read_end(), err.take_read_end());
  if (watched) return {};
  kill_all();
  collected();
  waitpid(std::exchange(pid_, -1), nullptr, 0);
  return watched.error();
}

Result<void> ChildProcess::watch(int out, int err) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  const std::string why = pidfd < 0 ? "could not be watched (pidfd_open): " + words_of(errno) : std::string{};
  error_code failed;
  for (const auto& [descriptor, file] : {std::pair{&end_, pidfd}, {&out_.pipe, out}, {&err_.pipe, err}}) {
    if (file < 0) continue;
    if (!failed) descriptor->assign(file, failed);
    if (!failed && descriptor != &end_) descriptor->non_blocking(true, failed);
    if (failed && !descriptor->is_open()) close(file);
  }
  if (!why.empty()) return Error{Errc::bad_config, why};
  if (failed) return Error{Errc::unavailable, "could not be watched: " + failed.message()};
  return {};
}

void ChildProcess::await_output(Output& output) {
  output.pipe.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this(), &output](const error_code& code) {
                           if (!code && self->take_available(output)) self->await_output(output);
                         });
}

/// Takes what is there, and no more at once than lets the event loop go on; false at the end. What is over the bound
/// is dropped, so that the program does not hang on a full pipe.
bool ChildProcess::take_available(Output& output) {
  constexpr int most_reads = 32;  // 128 KiB, more than a pipe holds
  error_code code;
  for (int reads = 0; reads < most_reads && output.pipe.is_open(); ++reads) {
    const std::size_t bytes = output.pipe.read_some(asio::buffer(output.buffer), code);
    if (code) return code == asio::error::would_block;
    const std::size_t room = output.most - output.text.size();
    output.text.append(output.buffer.data(), std::min(room, bytes));
    output.too_long = output.too_long || bytes > room;
  }
  if (out_.too_long) kill_all();
  return output.pipe.is_open();
}

void ChildProcess::await_end() {
  end_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const error_code& code) {
    if (!code) self->finish();
  });
}

void ChildProcess::finish() {
  kill_all();  // before it is collected: until then its number is nobody else's
  int status = 0;
  collected();
  const bool known = waitpid(std::exchange(pid_, -1), &status, WNOHANG) > 0;
  // What was written before the end; that others hold a pipe open does not count.
  take_available(out_);
  take_available(err_);
  error_code ignored;
  for (auto* descriptor : {&out_.pipe, &err_.pipe, &end_}) descriptor->close(ignored);
  if (!on_end_) return;
  kube::ExecRun run;
  run.signal = known && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  run.exit_code = known && WIFEXITED(status) ? WEXITSTATUS(status) : run.signal == 0 ? 127 : 0;
  run.out = std::move(out_.text);
  run.err = std::move(err_.text);
  run.out_too_long = out_.too_long;
  std::exchange(on_end_, nullptr)(run);
}

void ChildProcess::stop() {
  on_end_ = nullptr;
  if (pid_ < 0) return;
  kill_all();
  error_code ignored;
  out_.pipe.close(ignored);
  err_.pipe.close(ignored);
}

void ChildProcess::kill_all() const {
  if (pid_ > 0) kill(own_group_ ? -pid_ : pid_, SIGKILL);
}

}  // namespace konductor::io
