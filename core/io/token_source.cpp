#include "io/token_source.hpp"

#include "io/environment.hpp"

#include <algorithm>
#include <utility>

namespace konductor::io {

namespace {

std::string trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  text.erase(text.begin(), std::ranges::find_if_not(text, is_space));
  return text;
}

}  // namespace

TokenSource::TokenSource(std::string token, std::string file, ReadFile read_file)
    : token_(std::move(token)), file_(std::move(file)), read_file_(std::move(read_file)) {}

Result<void> TokenSource::read(runtime::MonoTime now) {
  auto text = read_file_(file_);
  if (!text) return Error{Errc::bad_config, "token: " + text.error().detail};
  std::string token = trimmed(std::move(*text));
  if (token.empty()) return Error{Errc::bad_config, "token: " + file_ + " is empty"};
  token_ = std::move(token);
  read_at_ = now;
  was_read_ = true;
  return {};
}

Result<std::string> TokenSource::authorization(runtime::MonoTime now) {
  if (!file_.empty() && (!was_read_ || now - read_at_ >= max_credential_age)) {
    const auto done = read(now);
    if (!done && token_.empty()) return done.error();
  }
  return token_.empty() ? std::string() : "Bearer " + token_;
}

bool TokenSource::renew(const std::string& authorization, runtime::MonoTime now) {
  if (file_.empty() || !read(now)) return false;
  return "Bearer " + token_ != authorization;
}

}  // namespace konductor::io
