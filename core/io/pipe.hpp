#pragma once

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace konductor::io {

/// Both ends of a pipe, closed on exec.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  ~Pipe() {
    for (const int end : ends_)
      if (end >= 0) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] bool good() const { return ends_[0] >= 0; }
  [[nodiscard]] int write_end() const { return ends_[1]; }
  [[nodiscard]] int read_end() const { return ends_[0]; }
  int take_read_end() { return std::exchange(ends_[0], -1); }
  void close_write_end() { close(std::exchange(ends_[1], -1)); }

  /// What a child that could not become its program wrote; 0 where it only closed the pipe, as an exec does.
  [[nodiscard]] int read_failure() const {
    int code = 0;
    ssize_t told = 0;
    do {
      told = ::read(read_end(), &code, sizeof code);
    } while (told < 0 && errno == EINTR);
    return told == static_cast<ssize_t>(sizeof code) ? code : 0;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace konductor::io
