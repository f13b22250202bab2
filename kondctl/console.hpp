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
  /// Whether a result could not be written: nobody has it.
  [[nodiscard]] bool has_lost_results() const;
  /// Why the exit code is not 0.
  void error(std::string_view sentence);
  /// Worth knowing; not with -q.
  void note(std::string_view sentence);
  /// With -v.
  void detail(std::string_view sentence);

 private:
  std::ostream& out_;
  std::ostream& err_;
  int verbosity_;
  bool quiet_;
};

}  // namespace konductor::kondctl
