/* Holds a pod's namespaces open: it sleeps until it is told to end. Static, the only file of its image. */
#include <signal.h>
#include <unistd.h>

static void end(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  signal(SIGCHLD, SIG_IGN); /* as process 1 of a shared pid namespace it inherits children: the kernel collects them */
  for (;;) pause();
}
