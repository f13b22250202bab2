#include "io/name_lock.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace konductor::io {

Result<bool> NameLock::take(const std::string& name) {
  if (socket_ >= 0 && name == name_) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() + 1 > sizeof address.sun_path) return Error{Errc::bad_config, "the name is too long: " + name, 0};
  std::memcpy(&address.sun_path[1], name.data(), name.size());  // a zero first: no file, a name
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made >= 0 && bind(made, reinterpret_cast<const sockaddr*>(&address), length) == 0) {
    if (socket_ >= 0) close(socket_);
    socket_ = made;
    name_ = name;
    return true;
  }
  const int why = errno;
  if (made >= 0) close(made);
  if (why == EADDRINUSE) return false;
  return Error{Errc::unavailable, "bind @" + name + ": " + std::generic_category().message(why), 0};
}

NameLock::~NameLock() {
  if (socket_ >= 0) close(socket_);
}

}  // namespace konductor::io
