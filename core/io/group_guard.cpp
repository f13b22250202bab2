#include "io/group_guard.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace konductor::io {

namespace {

/// All that the guard has to know; the last one counts. `group` 0: there is none.
struct Orders {
  std::int64_t kill_at_ns = 0;  // 0: at no time
  std::int32_t group = 0;
  std::int32_t over = 0;
};

constexpr int inbox = 3;

// In the guard, which may have been forked beside other threads: only what is safe in a signal handler.
void leave_everything(int socket) {
  setsid();
  // Not the name of the program: whoever kills that by its name is not to kill this too.
  prctl(PR_SET_NAME, "run-guard");
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  if (chdir("/") != 0) _exit(1);
  const int nothing = open("/dev/null", O_RDWR);
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (nothing < 0) {
      close(file);
    } else if (nothing != file) {
      dup2(nothing, file);
    }
  }
  if (socket != inbox) dup2(socket, inbox);
  if (syscall(SYS_close_range, inbox + 1U, ~0U, 0) == 0) return;
  rlimit limit{};
  const rlim_t most = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? limit.rlim_cur : 65536;
  for (int file = inbox + 1; file < static_cast<int>(most); ++file) close(file);
}

[[noreturn]] void kill_and_end(const Orders& orders) {
  if (orders.group > 1) kill(-orders.group, SIGKILL);
  _exit(0);
}

[[noreturn]] void stand_guard(int socket) {
  leave_everything(socket);
  const int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  Orders orders;
  std::array<pollfd, 2> files{{{inbox, POLLIN, 0}, {timer, POLLIN, 0}}};
  while (true) {
    // Without a timer, or where it fails, the other half is left: the end of the one who gives the orders.
    if (poll(files.data(), files.size(), -1) < 0 && errno != EINTR) kill_and_end(orders);
    if ((files[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t told = recv(inbox, &orders, sizeof orders, 0);
      if (told != static_cast<ssize_t>(sizeof orders)) {
        if (told < 0 && errno == EINTR) continue;
        kill_and_end(orders);
      }
      if (orders.over != 0) _exit(0);
      constexpr std::int64_t second = 1'000'000'000;
      const itimerspec at{{0, 0}, {orders.kill_at_ns / second, orders.kill_at_ns % second}};
      timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, nullptr);
      continue;  // what was told last counts, before the time that was told first
    }
    std::uint64_t rung = 0;
    if ((files[1].revents & POLLIN) != 0 && read(timer, &rung, sizeof rung) > 0) kill_and_end(orders);
  }
}

}  // namespace

Result<std::unique_ptr<GroupGuard>> GroupGuard::start() {
  std::unique_ptr<GroupGuard> guard(new GroupGuard);
  if (const auto spawned = guard->spawn(); !spawned) return spawned.error();
  return guard;
}

GroupGuard::~GroupGuard() {
  if (socket_ >= 0) close(socket_);
  collect(WNOHANG);
}

Result<void> GroupGuard::spawn() {
  const auto failed = [](const char* what) {
    return Error{Errc::unavailable,
                 std::string("the guard of the command could not be started (") + what +
                     "): " + std::generic_category().message(errno),
                 0};
  };
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return failed("socketpair");
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours runs in there
  const pid_t child = fork();
  if (child == 0) stand_guard(ends[1]);
  const int why = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    errno = why;
    return failed("fork");
  }
  if (socket_ >= 0) close(socket_);
  socket_ = ends[0];
  pid_ = child;
  return {};
}

void GroupGuard::watch(pid_t group) {
  group_ = group;
  tell();
}

void GroupGuard::kill_at(runtime::MonoTime time) {
  kill_at_ = time;
  tell();
}

void GroupGuard::done() {
  group_ = 0;
  done_ = true;
  const Orders over{.kill_at_ns = 0, .group = 0, .over = 1};
  send(socket_, &over, sizeof over, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void GroupGuard::tell() const {
  if (group_ == 0) return;
  // Zero switches its timer off.
  std::int64_t at = 0;
  if (kill_at_) {
    const auto since_boot = std::chrono::duration_cast<std::chrono::nanoseconds>(kill_at_->time_since_epoch());
    at = std::max<std::int64_t>(1, since_boot.count());
  }
  const Orders orders{.kill_at_ns = at, .group = group_, .over = 0};
  // One that is frozen hears nothing, and must not freeze us: another takes its place.
  if (send(socket_, &orders, sizeof orders, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && pid_ > 0) kill(pid_, SIGKILL);
}

bool GroupGuard::look() {
  collect(WNOHANG);
  if (pid_ > 0 || done_) return true;
  if (!spawn()) return false;
  tell();
  return true;
}

void GroupGuard::collect(int flags) {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, flags | WUNTRACED) == 0) return;
  if (WIFSTOPPED(status)) {
    kill(pid_, SIGKILL);
  } else {
    pid_ = -1;
  }
}

}  // namespace konductor::io
