// Preloaded: the wall clock is off by $MOVED_BY seconds, all other clocks and timers are true. (libfaketime moves
// timers of CLOCK_BOOTTIME too, and so the deadline of a guard.)
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec* at) {
  const int failed = (int)syscall(SYS_clock_gettime, id, at);
  const char* by = getenv("MOVED_BY");
  if (!failed && id == CLOCK_REALTIME && by) at->tv_sec += atol(by);
  return failed;
}

time_t time(time_t* out) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  if (out) *out = at.tv_sec;
  return at.tv_sec;
}

int gettimeofday(struct timeval* out, void* zone) {
  (void)zone;
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  out->tv_sec = at.tv_sec;
  out->tv_usec = at.tv_nsec / 1000;
  return 0;
}
