#include "io/process.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <string_view>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace konductor::io {

std::string executable_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

std::string unique_identity() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::random_device random;
  const auto number = (std::uint64_t{random()} << 32U) | random();
  std::array<char, 20> hex{};
  std::snprintf(hex.data(), hex.size(), "_%016llx", static_cast<unsigned long long>(number));
  return std::string(host.data()) + hex.data();
}

void ensure_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest free number is this one: those below it are there by now.
    if (fcntl(file, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
}

bool may_hear(int number) {
  struct sigaction now{};
  if (sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) return false;
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, number);
  return pthread_sigmask(SIG_UNBLOCK, &one, nullptr) == 0;
}

std::size_t raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const auto before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  const bool raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
  return static_cast<std::size_t>(raised ? limit.rlim_cur : before);
}

std::vector<std::string> merged_environment(const std::vector<std::string>& more) {
  std::vector<std::string> merged;
  const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const bool replaced = std::ranges::any_of(more, [&](const auto& over) { return name_of(over) == name_of(*entry); });
    if (!replaced) merged.emplace_back(*entry);
  }
  merged.insert(merged.end(), more.begin(), more.end());
  return merged;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace konductor::io
