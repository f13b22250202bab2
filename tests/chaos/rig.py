"""The real thing that faults come over: etcd and kube-apiserver, three operators, each behind a weather proxy of its own."""
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
os.environ.setdefault("KONDUCTOR_BUILD", str(ROOT / "build"))
sys.path.insert(0, str(HERE.parent / "integration"))
from records import now  # noqa: E402
from harness import BUILD, Operator, World, wait_for  # noqa: E402,F401

FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
LOCK = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/konductor"


def faketime(file):
    """The environment of a process whose wall clock is moved by what stands in the file; its monotonic clock stays true."""
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


class Proxy:
    """A weather proxy as a process."""

    def __init__(self, kubeconfig, folder, seed):
        self.kubeconfig, self.folder, self.seed, self.lock = kubeconfig, folder, seed, threading.Lock()

    def start(self):
        self.process = subprocess.Popen([sys.executable, HERE / "weather_proxy.py", "--kubeconfig", self.kubeconfig, "--out", self.folder],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.folder / "stderr.log", "wb"), text=True,
                                        start_new_session=True)
        wait_for("the proxy listens", (self.folder / "kubeconfig").exists)
        self.tell(seed=self.seed)
        return self

    def tell(self, **order):
        with self.lock:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def counts(self):
        with self.lock:
            self.process.stdin.write('{"count": true}\n')
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


class Replica(Operator):
    """One operator, the proxy that it goes through, if any, and whoever starts it again when it died."""

    def __init__(self, world, number, ns, proxy, *flags, env=None):
        super().__init__(world, "--leader-elect", "--leader-elect-namespace", ns, "--identity", f"op-{number}", *flags,
                         kubeconfig=proxy.folder / "kubeconfig" if proxy else world.kubeconfig, env=env, log_name=f"operator-{number}.log")
        self.number, self.proxy, self.lock = number, proxy, threading.Lock()
        self.starts, self.again_at, self.keep = 0, None, True
        self.odd_ends = []

    def start(self, ready=True):
        self.started = now()
        super().start(ready)
        self.starts += 1
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, how):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)

    def supervise(self, random_source):
        """Starts it again some time after its end."""
        with self.lock:
            if not self.keep or self.running():
                return
            if self.again_at is None:
                if self.process.returncode not in (0, -signal.SIGKILL):
                    self.odd_ends.append(f"op-{self.number} ended with {self.process.returncode}: " + " | ".join(self.lines[-3:]))
                self.again_at = time.monotonic() + random_source.uniform(0.0, 3.0)
            elif time.monotonic() >= self.again_at:
                self.again_at = None
                self.start(ready=False)


class Rig:
    """A cluster and its operators; `weather`: each behind a proxy that makes faults, and the last one's clock can be moved.
    Both cost time."""

    def __init__(self, seed, operators=3, weather=True):
        self.seed, self.random, self.count, self.weather = seed, random.Random(seed), operators, weather
        self.world = World()
        self.logs = self.world.dir / "logs"
        self.replicas, self.proxies = [], []
        self.ending = threading.Event()

    def __enter__(self):
        try:
            self.world.up()
            self.logs.mkdir()
            self.api = self.world.api
            self.ns = "chaos"
            self.api.create("", "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.ns}})
            for number in range(1, self.count + 1):
                self.add_replica(number)
            wait_for("the operators are ready", lambda: all(replica.is_ready() for replica in self.replicas))
            wait_for("somebody leads", self.leader)
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._supervise, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.close()

    def proxy(self, name):
        folder = self.world.dir / f"proxy-{name}"
        folder.mkdir()
        proxy = Proxy(self.world.kubeconfig, folder, f"{self.seed}-{name}")
        self.proxies.append(proxy)
        return proxy.start()

    def add_replica(self, number):
        proxy, env = self.proxy(number) if self.weather else None, None
        self.clock_file = self.world.dir / "clock"
        if self.weather and number == self.count and FAKETIME.exists():  # the last one's wall clock can be moved
            self.clock_file.write_text("+0\n")
            env = faketime(self.clock_file)
        replica = Replica(self.world, number, self.ns, proxy, env=env)
        self.replicas.append(replica)
        replica.start(ready=False)

    def stop_operators(self):
        """For good."""
        for replica in self.replicas:
            with replica.lock:
                replica.keep = False
                replica.kill()

    def close(self):
        self.ending.set()
        self.stop_operators()
        for proxy in self.proxies:
            proxy.stop()
        self.world.down()

    def semaphore(self, name, permits):
        return {"apiVersion": "sync.konductor.io/v1", "kind": "Semaphore", "metadata": {"name": name}, "spec": {"permits": permits, "ttl": "30s"}}

    def _supervise(self):
        while not self.ending.wait(0.05):
            for replica in self.replicas:
                replica.supervise(self.random)

    def lock_holder(self):
        """The identity in the lock; empty: nobody's, or the API server does not answer."""
        with contextlib.suppress(Exception):
            return self.api.request("GET", LOCK.format(ns=self.ns))["spec"].get("holderIdentity", "")
        return ""

    def leader(self):
        """The replica that the lock names, if it runs."""
        holder = self.lock_holder()
        return next((replica for replica in self.replicas if holder == f"op-{replica.number}" and replica.running()), None)

    def leading(self):
        """How many say of themselves that they lead."""
        with contextlib.suppress(Exception):
            return sum(replica.metrics().get("konductor_leading", 0) for replica in self.replicas)
        return None

    def cluster(self, *words):
        return subprocess.run([self.world.cluster, *words, "--dir", str(self.world.cluster_dir)], check=True, capture_output=True, text=True).stdout

    def compact(self):
        """Of etcd's whole history."""
        environment = {**os.environ, **self.world.etcd_environment()}
        status = subprocess.run(["etcdctl", "endpoint", "status", "-w", "json"], env=environment, check=True, capture_output=True, text=True)
        revision = json.loads(status.stdout)[0]["Status"]["header"]["revision"]
        subprocess.run(["etcdctl", "compact", str(revision)], env=environment, check=True, capture_output=True)
