#pragma once

#include "kondctl/options.hpp"

#include <iosfwd>
#include <string_view>

namespace konductor::kondctl {

/// Where words go: results to `out`, all else to `err`, each sentence on one line and made visible().
class Console {
 public:
  Console(std::ostream& out, std::ostream& err, const GlobalOptions& options)
      : out_(out), err_(err), verbosity_(options.verbosity), quiet_(options.quiet) {}

  /// A result, as it is.
  void print(std::string_view text);
  /// Whether a result could not be written: a full disk, or nobody reads any more.
  [[nodiscard]] bool has_failed() const;
  /// Why the exit code is not 0.
  void error(std::string_view sentence);
  /// Worth knowing; not with -q.
  void note(std::string_view sentence);
  /// With -v.
  void detail(std::string_view sentence);

  /// For who must do something in time, and says it by the way: from now on whoever should read it and has stopped to
  /// is waited for only a moment, and what finds no room then is left out.
  void never_wait() { waits_ = false; }

 private:
  [[nodiscard]] bool finds_room(int file) const;

  std::ostream& out_;
  std::ostream& err_;
  int verbosity_;
  bool quiet_;
  bool waits_ = true;
};

}  // namespace konductor::kondctl
