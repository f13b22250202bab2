#pragma once

#include "base/error.hpp"
#include "runtime/clock.hpp"

#include <functional>
#include <string>

namespace konductor::io {

/// The bearer token: fixed, or of a file that somebody renews (a projected service account token), or none.
class TokenSource {
 public:
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;

  /// `token` is used until `file` was read. Both empty: no token.
  TokenSource(std::string token, std::string file, ReadFile read_file);

  /// The value of the Authorization header, or empty. A file is read again when the last reading is 10 s old; where
  /// that fails the token at hand stays in use.
  Result<std::string> authorization(runtime::MonoTime now);

  /// The server answered 401 to `authorization`: true where the file holds another token by now, to be tried once.
  bool renew(const std::string& authorization, runtime::MonoTime now);

 private:
  Result<void> read(runtime::MonoTime now);

  std::string token_;
  std::string file_;
  ReadFile read_file_;
  runtime::MonoTime read_at_;
  bool was_read_ = false;
};

}  // namespace konductor::io
