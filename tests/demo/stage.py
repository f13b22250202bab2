"""What both forms of the demo stand on: a cluster, the operator, a semaphore of five, and the verdict."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME, PERMITS = "api-quota", 5
IMAGE, WORK_IMAGE = "konductor.io/konductor:dev", "example.com/work:1"  # that of Konductor has no shell


def say(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, text=True, **options)


def most_at_once(spans):
    """Of (start, end) pairs: how many overlapped at most. One that ends when another starts does not overlap it."""
    at_once = highest = 0
    for _, step in sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans]):
        at_once += step
        highest = max(highest, at_once)
    return highest


def end_all(processes):
    """Each is a group of its own."""
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Stage:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="konductor-demo-"))
        self.cluster = self.dir / "cluster"
        self.operator = None
        self.env = dict(os.environ)

    def command(self, *arguments, **options):
        return run(ROOT / "tests/cluster/cluster", *arguments, **options)

    def kubectl(self, *arguments, **options):
        """Its output, as text."""
        return run("kubectl", *arguments, env=self.env, stdout=subprocess.PIPE, **options).stdout

    def up(self, node):
        what = "etcd, kube-apiserver, kube-controller-manager" + (", and a node: scheduler, kubelet, containerd" if node else "")
        say(f"1. A real Kubernetes ({what})")
        flags = ["--node"] if node else []
        self.command("up", *flags, "--dir", self.cluster)
        if node:
            run(ROOT / "packaging/image", "--output", self.dir / "image.tar")
            run(ROOT / "packaging/image", "--shell", "--name", WORK_IMAGE, "--output", self.dir / "work.tar")
            self.command("image", self.dir / "image.tar", self.dir / "work.tar", "--dir", self.cluster)
        binaries = self.command("binaries", stdout=subprocess.PIPE).stdout.strip().splitlines()[-1]
        self.env["KUBECONFIG"] = str(self.cluster / "kubeconfig")
        self.env["PATH"] = f"{ROOT}/build/bin:{binaries}:{self.env['PATH']}"
        for variable in ("NO_PROXY", "no_proxy"):  # this cluster is on this machine
            self.env[variable] = "*"

    def start_operator(self):
        say("2. konductor manifests | kubectl apply -f -     (CRDs and roles of exactly the plugins that it loads)")
        manifests = run("konductor", "manifests", env=self.env, stdout=subprocess.PIPE).stdout
        print(self.kubectl("apply", "--server-side", "-f", "-", input=manifests), end="")
        self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        say(f"3. The operator, and a semaphore of {PERMITS} permits")
        with open(self.dir / "operator.log", "w") as log:
            self.operator = subprocess.Popen(["konductor", "--metrics-address", "off"], env=self.env, stdout=log, stderr=log,
                                             start_new_session=True)
        print(self.kubectl("apply", "-f", "-", input=f"""
apiVersion: sync.konductor.io/v1
kind: Semaphore
metadata: {{name: {NAME}, namespace: default}}
spec: {{permits: {PERMITS}, ttl: 10m}}
"""), end="")
        self.kubectl("wait", "--for=condition=Ready", f"semaphore/{NAME}", "--timeout=30s")

    def judge(self, spans, count, seconds, makespan):
        """`spans`: start and end in nanoseconds of each that did its work, by its own clock."""
        highest = most_at_once(spans)
        say("5. What the workers' own clocks say")
        print(f"completed            {len(spans)} of {count}")
        print(f"most at once         {highest} (limit {PERMITS})")
        print(f"makespan             {makespan:.1f} s (the work alone: {count / PERMITS * seconds:.0f} s)")
        return highest == PERMITS and len(spans) == count

    def tell_operator_log(self):
        print((self.dir / "operator.log").read_text()[-3000:], file=sys.stderr)

    def keep(self):
        say("The cluster and the operator stay up. In your shell:")
        print(f"  eval \"$({ROOT}/tests/cluster/cluster env --dir {self.cluster})\"; export PATH={ROOT}/build/bin:$PATH")
        print(f"  kondctl semaphore status {NAME};  kubectl get permits,pods;  kondctl plugin list")
        print(f"To end it: kill {self.operator.pid}; {ROOT}/tests/cluster/cluster down --dir {self.cluster}; rm -rf {self.dir}")

    def down(self):
        if self.operator:
            end_all([self.operator])
        subprocess.run([str(ROOT / "tests/cluster/cluster"), "down", "--dir", str(self.cluster)], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
