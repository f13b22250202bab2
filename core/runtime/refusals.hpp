#pragma once

#include "runtime/clock.hpp"

#include <map>
#include <string>

namespace konductor::runtime {

/// Requests of one sort that the server refuses to the operator for want of a right, by namespace, as rights are given
/// by namespace. While it does none is sent but one now and then, which finds out whether that was mended.
class Refusals {
 public:
  /// False: it would be refused, or the one that finds out is under way.
  [[nodiscard]] bool may_send(const std::string& ns, MonoTime now) const;
  /// The earliest time to ask may_send() again, where nothing else happens; later than `now`.
  [[nodiscard]] MonoTime ask_again(const std::string& ns, MonoTime now) const;
  /// The server's words; empty: nothing is known to be refused.
  [[nodiscard]] std::string words(const std::string& ns) const;

  void sent(const std::string& ns);
  void refused(const std::string& ns, std::string words, MonoTime until);
  /// Who was answered otherwise than by a refusal. True: they had been refused until now.
  bool allowed(const std::string& ns) { return refused_.erase(ns) > 0; }
  /// Nobody knows what the server would have said.
  void unanswered(const std::string& ns);

 private:
  struct Refused {
    std::string words;
    MonoTime until{};
    bool trying = false;
  };
  std::map<std::string, Refused> refused_;
};

}  // namespace konductor::runtime
