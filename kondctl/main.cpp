#include "io/clock.hpp"
#include "io/process.hpp"
#include "kondctl/app.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  const auto started = konductor::io::mono_now();
  konductor::io::ensure_standard_files();
  int code = 1;
  try {
    code = konductor::kondctl::run(argc > 0 ? argv[0] : "kondctl",
                                   std::vector<std::string>(argv + std::min(argc, 1), argv + argc), started);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kondctl: internal error: %s\n", error.what());
  }
  // A name look-up may still hang on a thread of its own: nothing waits for it, and nothing is destroyed under it.
  std::fflush(nullptr);
  std::_Exit(code);
}
