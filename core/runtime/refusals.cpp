#include "runtime/refusals.hpp"

#include <algorithm>
#include <utility>

namespace konductor::runtime {
namespace {

constexpr auto answer_time = std::chrono::seconds{1};  // so long who waits for an answer does not look for it

}  // namespace

bool Refusals::may_send(const std::string& ns, MonoTime now) const {
  const auto found = refused_.find(ns);
  return found == refused_.end() || (!found->second.trying && now >= found->second.until);
}

MonoTime Refusals::ask_again(const std::string& ns, MonoTime now) const {
  const auto found = refused_.find(ns);
  return std::max(found == refused_.end() ? now : found->second.until, now + answer_time);
}

std::string Refusals::words(const std::string& ns) const {
  const auto found = refused_.find(ns);
  return found == refused_.end() ? std::string{} : found->second.words;
}

void Refusals::sent(const std::string& ns) {
  if (const auto found = refused_.find(ns); found != refused_.end()) found->second.trying = true;
}

void Refusals::refused(const std::string& ns, std::string words, MonoTime until) {
  refused_[ns] = {std::move(words), until, false};
}

void Refusals::unanswered(const std::string& ns) {
  if (const auto found = refused_.find(ns); found != refused_.end()) found->second.trying = false;
}

}  // namespace konductor::runtime
