#include "operator/app.hpp"
#include "operator/options.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  using namespace konductor::app;
  try {
    const auto options = parse_options(argc, argv);
    if (!options) {
      std::fprintf(stderr, "konductor: %s\n", options.error().detail.c_str());
      return 2;
    }
    if (options->task == Task::help) {
      std::fputs(options->help.c_str(), stdout);
      return 0;
    }
    if (options->task == Task::version) {
      std::puts("konductor " KONDUCTOR_VERSION);
      return 0;
    }
    return run(*options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "konductor: %s\n", error.what());
    return 1;
  }
}
