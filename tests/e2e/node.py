"""A world with a node on which pods run, the operator on the host, and what tests ask of pods."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess

from command import name_of
from harness import BUILD, ROOT, Operator, World, wait_for
from kinds import phase

IMAGE, WORK, BOTH = "konductor.io/konductor:dev", "example.com/work:1", "example.com/work-and-kondctl:1"
EXAMPLES = ROOT / "docs/examples"
SAFE = {"runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


class NodeWorld(World):
    FLAGS = ("--node",)

    def up(self):
        super().up()
        archives = [self.make_image("konductor.tar", "--name", IMAGE), self.make_image("work.tar", "--shell", "--name", WORK, "--name", BOTH)]
        self.control("image", *archives)
        self.konductor = Operator(self).start()
        return self

    def make_image(self, file, *flags):
        """Its path."""
        made = self.run(str(ROOT / "packaging/image"), "--bin", str(BUILD / "bin"), "--plugins", str(BUILD / "lib/konductor/1"),
                        "--output", str(self.dir / file), *flags)
        print(made.stdout.strip(), flush=True)
        return str(self.dir / file)

    def control(self, command, *arguments):
        self.run(self.cluster, command, *arguments, "--dir", str(self.cluster_dir))

    def down(self):
        if hasattr(self, "konductor"):
            self.konductor.kill()
        super().down()

    @contextlib.contextmanager
    def namespace(self, users=True):
        """One whose service account may use Konductor, by the very command that the examples' README tells."""
        with super().namespace() as ns:
            account = self.api.path(ns, "serviceaccounts", "default")
            wait_for("the namespace has its service account", lambda: self.api.request("GET", account, expect_ok=False)[0] == 200)
            if users:
                self.kubectl("-n", ns, "create", "rolebinding", "konductor-user", "--clusterrole=konductor-user", f"--serviceaccount={ns}:default")
            yield ns

    # -- pods

    def pods(self, ns, **labels):
        selector = "%2C".join(f"{key}%3D{value}" for key, value in labels.items())
        return self.api.request("GET", f"{self.api.path(ns, 'pods')}?labelSelector={selector}")["items"]

    def logs(self, ns, name, container="main", previous=False):
        return self.kubectl("-n", ns, "logs", name, "-c", container, *(["--previous"] if previous else []), check=False).stdout

    def wait_for_pod(self, ns, name, what, condition, timeout=60):
        """Until `condition` of the pod is true; else it says what there is."""
        try:
            return wait_for(f"pod {name} {what}", lambda: condition(pod := self.api.get(ns, "pods", name)) and pod, timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.describe(ns)}") from None

    def describe(self, ns):
        """For a failure: pods, their logs, claims."""
        shown = [self.kubectl("-n", ns, "get", "pods,jobs,semaphores,permits", "-o", "wide", check=False).stdout]
        for pod in self.api.list(ns, "pods")[:8]:
            shown.append(self.kubectl("-n", ns, "logs", pod["metadata"]["name"], "--all-containers", "--prefix", "--tail=5", check=False).stdout)
        return "\n".join(shown)


def status_of(pod, container="main"):
    """Of a container; empty before there is one."""
    status = pod.get("status", {})
    of_all = status.get("initContainerStatuses", []) + status.get("containerStatuses", [])
    return next((one for one in of_all if one["name"] == container), {})


def state(pod, container="main"):
    """waiting, running or terminated."""
    return next(iter(status_of(pod, container).get("state", {})), "")


def exit_code(pod, container="main"):
    return status_of(pod, container).get("state", {}).get("terminated", {}).get("exitCode")


def restarts(pod, container="main"):
    return status_of(pod, container).get("restartCount", 0)


def is_finished(pod):
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def processes(pod, container="main", name=""):
    """PIDs, as the host sees them, of a container's processes of that name."""
    container_id = status_of(pod, container)["containerID"].rpartition("/")[2]
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if container_id in (folder / "cgroup").read_text() and name in ("", name_of(folder.name)):
                found.append(int(folder.name))
    return sorted(found)


def send(signal_number, pids):
    assert pids, "there is such a process"
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)


def kill(pod, container="main", name=""):
    send(signal.SIGKILL, processes(pod, container, name))


class Log(contextlib.ExitStack):
    """What a container writes, followed from when it runs: it is there also when the pod is gone."""

    def __init__(self, world, ns, name, container="main"):
        super().__init__()
        self.path = world.dir / f"log-{ns}-{name}-{container}"
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(["kubectl", "--kubeconfig", str(world.kubeconfig), "-n", ns, "logs", "-f", name, "-c", container],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        self.callback(self.process.wait)
        self.callback(self.process.kill)

    def times(self):
        return times(self.path.read_text())

    def all_times(self):
        """When the container is gone."""
        self.process.wait(60)
        return self.times()


def times(text):
    """Nanoseconds of the lines that are such, to the last complete one."""
    return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n") and line.strip().isdigit()]


def span(lines):
    return lines[0], lines[-1]


def pod(name, containers, init=(), restart="Never", grace=1, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"restartPolicy": restart, "terminationGracePeriodSeconds": grace,
                     "initContainers": list(init), "containers": list(containers), **spec}}


def container(name, *command, image=BOTH, **fields):
    return {"name": name, "image": image, "command": list(command), "securityContext": SAFE, **fields}


def acquire(name="acquire", *flags, semaphore="q"):
    return container(name, "kondctl", "semaphore", "acquire", semaphore, *flags, image=IMAGE)


def run(script, *flags, name="main", semaphore="q", **fields):
    return container(name, "kondctl", "semaphore", "run", semaphore, *flags, "--", "sh", "-c", script, **fields)


def script(text, name="main", **fields):
    return container(name, "sh", "-c", text, image=WORK, **fields)


# Not the shell's own date, which knows no fractions of a second.
AT_WORK = "while /bin/date +%s%N; do sleep 0.02; done"  # until it is killed
BRIEFLY = "/bin/date +%s%N; sleep 0.3; /bin/date +%s%N"


def most_granted(permits):
    """How many of the permits of a history were granted at once, at most: after each of its events."""
    granted, most = set(), 0
    for _, kind, one in permits.events:
        (granted.add if kind != "DELETED" and phase(one) == "Granted" else granted.discard)(one["metadata"]["uid"])
        most = max(most, len(granted))
    return most


def objects_of(world, file):
    """As kubectl reads them."""
    text, found, decoder = world.kubectl("create", "--dry-run=client", "-o", "json", "-f", str(file)).stdout.strip(), [], json.JSONDecoder()
    while text:
        one, end = decoder.raw_decode(text)
        found += one["items"] if one["kind"] == "List" else [one]
        text = text[end:].lstrip()
    for one in found:
        del one["metadata"]["namespace"]  # kubectl's own default
    return found
