"""The demo as root: a Job whose pods gate themselves with an init container, on a node."""
import json
import time

from stage import IMAGE, NAME, WORK_IMAGE, say

JOB = "import"
WORK = "/bin/date +%s%N; sleep {seconds}; /bin/date +%s%N"  # not the shell's own, which knows no fractions of a second
PATIENCE = 300  # seconds


class Pods:
    COUNT, SECONDS, PARALLELISM = 30, 2, 12

    def __init__(self, stage):
        self.stage, self.makespan = stage, 0

    def manifest(self):
        gate = ["kondctl", "semaphore", "acquire", NAME, "--wait", "--ttl=10m"]
        work = ["sh", "-c", WORK.format(seconds=self.SECONDS)]
        pod = {"restartPolicy": "Never",
               "initContainers": [{"name": "acquire", "image": IMAGE, "command": gate}],
               "containers": [{"name": "main", "image": WORK_IMAGE, "command": work}]}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": JOB, "namespace": "default"},
                "spec": {"completions": self.COUNT, "parallelism": self.PARALLELISM, "template": {"spec": pod}}}

    def run(self):
        say(f"4. A Job of {self.COUNT} pods, {self.PARALLELISM} at a time; in each an init container:  "
            f"kondctl semaphore acquire {NAME} --wait --ttl=10m")
        self.stage.kubectl("create", "rolebinding", "users", "--clusterrole=konductor-user", "--serviceaccount=default:default")
        began = time.monotonic()
        self.stage.kubectl("apply", "-f", "-", input=json.dumps(self.manifest()))
        print("PERMITS  IN-USE  WAITING  COMPLETED")
        while time.monotonic() - began < PATIENCE:
            status = json.loads(self.stage.kubectl("get", "job", JOB, "-o", "json"))["status"]
            semaphore = json.loads(self.stage.kubectl("get", "semaphore", NAME, "-o", "json"))
            done, now = status.get("succeeded", 0), semaphore["status"]
            print(f"{semaphore['spec']['permits']:<8} {now['inUse']:<7} {now['waiting']:<8} {done} of {self.COUNT}", flush=True)
            if done == self.COUNT or status.get("failed", 0) > 6:
                break
            time.sleep(1)
        self.makespan = time.monotonic() - began

    def spans(self):
        names = self.stage.kubectl("get", "pods", "-l", f"job-name={JOB}", "-o", "name").split()
        logs = [self.stage.kubectl("logs", name, "-c", "main").split() for name in names]
        return [(int(log[0]), int(log[1])) for log in logs if len(log) == 2]

    def end(self):
        """The node takes its pods with it."""
