"""The demo without root: each worker is a shell process that acquires, works and releases."""
import subprocess
import time

from stage import NAME, end_all, say

WORKER = r"""
set -eu
kondctl semaphore acquire "$1" --wait --timeout 5m --ttl 1m --holder "$2" -q >/dev/null
started=$(date +%s%N)
sleep "$3"
ended=$(date +%s%N)
kondctl semaphore release "$1" --holder "$2" -q >/dev/null
echo "$started $ended"
"""


class Processes:
    COUNT, SECONDS = 40, 2

    def __init__(self, stage):
        self.stage, self.workers, self.makespan = stage, [], 0

    def run(self):
        say(f"4. {self.COUNT} workers: kondctl semaphore acquire {NAME} --wait; work {self.SECONDS} s; release")
        began = time.monotonic()
        for number in range(self.COUNT):
            self.workers.append(subprocess.Popen(
                ["bash", "-c", WORKER, "worker", NAME, f"worker-{number:02d}", str(self.SECONDS)],
                env=self.stage.env, stdout=subprocess.PIPE, text=True, start_new_session=True))
        header = True
        while any(worker.poll() is None for worker in self.workers):
            table = self.stage.kubectl("get", "semaphore", NAME).splitlines()
            print("\n".join(table if header else table[1:]), flush=True)
            header = False
            time.sleep(1)
        self.makespan = time.monotonic() - began

    def spans(self):
        outputs = [worker.communicate()[0].split() for worker in self.workers]
        return [(int(words[0]), int(words[1])) for words in outputs if len(words) == 2]

    def end(self):
        end_all(self.workers)
