#include "io/file.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace konductor::io {

Result<void> write_file(const std::string& path, std::string_view text) {
  const auto failed = [&path] {
    return Error{Errc::bad_config, "write " + path + ": " + std::generic_category().message(errno), 0};
  };
  const std::string draft = path + "." + std::to_string(getpid());
  constexpr int all_may_read = 0644;
  const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, all_may_read);
  if (file < 0) return failed();
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool moved = written && std::rename(draft.c_str(), path.c_str()) == 0;
  Result<void> result;
  if (!moved) result = failed();
  close(file);
  if (!moved) unlink(draft.c_str());
  return result;
}

void remove_file(const std::string& path) {
  unlink(path.c_str());
}

}  // namespace konductor::io
