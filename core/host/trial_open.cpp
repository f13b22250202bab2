#include "host/trial_open.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace konductor::host {
namespace {

constexpr int opened = 0;
constexpr int refused = 1;

void report(int to, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(to, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

int child_report = -1;  // of the child: where its terminate handler writes

// An exception cannot leave dlopen (the loader's frames end in terminate): it is named on the way down.
[[noreturn]] void report_exception() {
  try {
    if (const auto current = std::current_exception()) std::rethrow_exception(current);
    report(child_report, "has a static constructor that ends in std::terminate");
  } catch (const std::exception& e) {
    report(child_report, "has a static constructor that throws: ");
    report(child_report, e.what());
  } catch (...) {
    report(child_report, "has a static constructor that throws");
  }
  ::_exit(refused);
}

// Never returns: what runs after the constructors of a library that is not trusted is only this.
[[noreturn]] void open_and_exit(const char* file, int report_to) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard <= 2; ++standard) {
    if (null < 0 || ::dup2(null, standard) < 0) ::close(standard);
  }
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) ::signal(signal, SIG_DFL);
  child_report = report_to;
  std::set_terminate(&report_exception);
  try {
    if (::dlopen(file, RTLD_NOW | RTLD_LOCAL) != nullptr) {
      report(report_to, "+");
      ::_exit(opened);
    }
  } catch (...) {
    report_exception();
  }
  report(report_to, "cannot be opened: ");
  report(report_to, ::dlerror());  // NOLINT(concurrency-mt-unsafe): a forked child has one thread
  ::_exit(refused);
}

/// Everything that the child reports until it ends or the limit is over (then nothing).
std::string read_report(int from, std::chrono::milliseconds limit) {
  std::string text;
  std::array<char, 512> buffer{};
  pollfd waiting{from, POLLIN, 0};
  while (::poll(&waiting, 1, static_cast<int>(limit.count())) > 0) {
    const auto got = ::read(from, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return {};
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string signal_text(int signal) {
  const char* const text = ::sigdescr_np(signal);
  return text != nullptr ? text : "signal " + std::to_string(signal);
}

}  // namespace

std::string why_not_opened_in_child(const std::string& file, std::chrono::milliseconds limit) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "cannot be tried: pipe: " + std::generic_category().message(errno);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    open_and_exit(file.c_str(), ends[1]);
  }
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return "cannot be tried: fork: " + std::generic_category().message(errno);
  }
  auto text = read_report(ends[0], limit);
  ::close(ends[0]);
  if (text == "+") {
    wait_for(child);
    return {};
  }
  ::kill(child, SIGKILL);
  const int status = wait_for(child);
  if (!text.empty()) return text;
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
    return std::string("has a static constructor that crashes (") + signal_text(WTERMSIG(status)) + ")";
  }
  if (WIFEXITED(status)) return "has a static constructor that ends the process";
  return "has a static constructor that runs longer than " + std::to_string(limit.count()) + " ms";
}

}  // namespace konductor::host
