// Added to bad.c: code that runs inside dlopen, and what it does wrong.
#include <cstdlib>
#include <stdexcept>

namespace {

struct Constructor {
  Constructor() {
#if defined(CONSTRUCTOR_THROWS)
    throw std::runtime_error("no lamp today");
#elif defined(CONSTRUCTOR_EXITS)
    std::exit(0);
#elif defined(CONSTRUCTOR_CRASHES)
    std::abort();
#endif
  }
};

const Constructor constructor;

}  // namespace
