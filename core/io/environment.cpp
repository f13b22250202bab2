#include "io/environment.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace konductor::io {

namespace {

constexpr std::size_t max_file = std::size_t{1} << 20U;

Error read_error(const std::string& path, int code) {
  const std::string words = code == ENOENT    ? "no such file"
                            : code == EACCES  ? "permission denied"
                            : code == EISDIR  ? "it is a directory"
                            : code == ENOTDIR ? "no such file"
                                              : std::generic_category().message(code);
  const bool absent = code == ENOENT || code == ENOTDIR;
  return Error{absent ? Errc::not_found : Errc::bad_config, "read " + path + ": " + words};
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return read_error(path, errno);
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t bytes = ::read(file.get(), buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return read_error(path, errno);
    if (bytes == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(bytes));
    if (text.size() > max_file) return Error{Errc::bad_config, "read " + path + ": it is larger than 1 MiB"};
  }
}

Environment system_environment() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing sets variables
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  environment.read_file = [](const std::string& path) { return read_file(path); };
  return environment;
}

}  // namespace konductor::io
