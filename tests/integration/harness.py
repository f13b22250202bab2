"""What integration tests share: a real API server, operators as processes, kondctl as a process, objects over HTTPS.

One cluster serves a whole run; each test has a namespace of its own. Waiting is by watching the world with a deadline,
never by sleeping for a guess.
"""
import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("KONDUCTOR_BUILD", ROOT / "build/dev"))
GROUP = "/apis/sync.konductor.io/v1"
OTHER_GROUPS = {**dict.fromkeys(("pods", "events", "namespaces", "serviceaccounts", "configmaps"), "/api/v1"),
                **dict.fromkeys(("jobs", "cronjobs"), "/apis/batch/v1"), "deployments": "/apis/apps/v1"}
POOL = concurrent.futures.ThreadPoolExecutor(8)
# Started by nohup, or in the background of a script, we would ignore these, and so would all that we start: kondctl promises that.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body.get('message', body)}")
        self.status, self.body = status, body


class Api:
    """A plain client of the API server: one kept-open connection a thread."""

    def __init__(self, kubeconfig):
        import yaml_lite
        config = yaml_lite.load_kubeconfig(kubeconfig)
        self.host = urllib.parse.urlparse(config["server"])
        self.context = ssl.create_default_context(cadata=base64.b64decode(config["ca"]).decode())
        if "cert" in config:
            with tempfile.NamedTemporaryFile("wb", suffix=".pem") as pem:
                pem.write(base64.b64decode(config["cert"]) + b"\n" + base64.b64decode(config["key"]))
                pem.flush()
                self.context.load_cert_chain(pem.name)
        self.local = threading.local()

    def _connection(self):
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPSConnection(self.host.hostname, self.host.port, context=self.context, timeout=30)
        return self.local.connection

    def request(self, method, path, body=None, content_type="application/json", expect_ok=True):
        for attempt in (1, 2):
            connection = self._connection()
            sent = False
            try:
                connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": content_type})
                sent = True
                answer = connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                connection.close()
                self.local.connection = None
                # What could not even be sent, on a connection that the server has closed meanwhile, was not executed.
                if attempt == 2 or (sent and method == "POST"):
                    raise
        try:
            parsed = json.loads(text) if text else {}
        except ValueError:
            parsed = {"message": text.decode(errors="replace")}
        if expect_ok and answer.status >= 300:
            raise ApiError(answer.status, parsed)
        return parsed if expect_ok else (answer.status, parsed)

    def path(self, ns, plural, name="", sub=""):
        group = OTHER_GROUPS.get(plural, GROUP)
        if plural == "namespaces":
            return f"{group}/namespaces" + (f"/{name}" if name else "")
        return f"{group}/namespaces/{ns}/{plural}" + (f"/{name}" if name else "") + (f"/{sub}" if sub else "")

    def create(self, ns, plural, body):
        return self.request("POST", self.path(ns, plural), body)

    def get(self, ns, plural, name):
        return self.request("GET", self.path(ns, plural, name))

    def list(self, ns, plural):
        return self.request("GET", self.path(ns, plural))["items"]

    def patch(self, ns, plural, name, body, sub="", expect_ok=True):
        return self.request("PATCH", self.path(ns, plural, name, sub), body, "application/merge-patch+json", expect_ok)

    def delete(self, ns, plural, name, expect_ok=True):
        return self.request("DELETE", self.path(ns, plural, name), {"propagationPolicy": "Background"}, expect_ok=expect_ok)


def wait_for(what, condition, timeout=30.0, every=0.05):
    """Looks at the world until `condition` gives something true; fails with what was last seen."""
    until = time.monotonic() + timeout
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() > until:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(every)


def create_all(world, ns, plural, objects):
    return list(POOL.map(lambda o: world.api.create(ns, plural, o), objects))


class Operator:
    def __init__(self, world, *flags, plugin_dir=None, kubeconfig=None, env=None, log_name="operator.log"):
        self.world, self.flags, self.env, self.log_name = world, flags, env or {}, log_name
        self.plugin_dir = plugin_dir or world.plugins
        self.kubeconfig = kubeconfig or world.kubeconfig
        self.process = None

    def start(self, ready=True):
        self.log = open(self.world.dir / self.log_name, "ab")
        address = "127.0.0.1:0"
        self.process = subprocess.Popen(
            [str(BUILD / "bin/konductor"), "--plugin-dir", str(self.plugin_dir), "--kubeconfig", str(self.kubeconfig),
             "--metrics-address", address, *self.flags],
            stdout=self.log, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
            env={**os.environ, **self.env})
        self.lines, self.port = [], None
        threading.Thread(target=self._read, daemon=True).start()
        if ready:
            wait_for("the operator is ready", self.is_ready, 30)
        return self

    def _read(self):
        process = self.process
        for line in process.stderr:
            self.lines.append(line.rstrip())
            found = re.search(r"probes on port (\d+)", line)
            if found:
                self.port = int(found.group(1))
            with contextlib.suppress(ValueError):
                self.log.write(line.encode())
                self.log.flush()

    def says(self, *words):
        """Waits for a line of its log: it comes by a pipe, a moment after what else shows the same."""
        wait_for(f"the operator says {words}", lambda: any(all(word in line for word in words) for line in self.lines), 10)

    def probe(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError("the operator ended: " + "\n".join(self.lines[-5:]))
        if self.port is None:
            return False
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.probe("/readyz")[0] == 200
        return False

    def metrics(self):
        values = {}
        for line in self.probe("/metrics")[1].splitlines():
            if not line.startswith("#"):
                key, _, value = line.rpartition(" ")
                values[key] = float(value)
        return values

    def kill(self, how=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(15)
        return self.process.returncode if self.process else None


class World:
    """The shared cluster, with the CRDs of all plugins of the build and of the toys."""

    FLAGS = ()  # of the cluster's programs, and of `up`

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="konductor-integration-"))
        self.cluster_dir = self.dir / "cluster"
        self.kubeconfig = self.cluster_dir / "kubeconfig"
        self.cluster = str(ROOT / "tests/cluster/cluster")
        self.plugins = self.dir / "plugins"
        self.count, self.counting = 0, threading.Lock()

    def up(self):
        subprocess.run([self.cluster, "up", *self.FLAGS, "--dir", str(self.cluster_dir)], check=True, stdout=subprocess.DEVNULL)
        binaries = subprocess.run([self.cluster, "binaries", *self.FLAGS], check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
        os.environ["PATH"] = f"{BUILD}/bin:{binaries}:{os.environ['PATH']}"
        for name in ("KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            os.environ.pop(name, None)
            os.environ.pop(name.lower(), None)
        self.plugins.mkdir(mode=0o755)
        for plugin in [*(BUILD / "lib/konductor/1").glob("*.so"), *(BUILD / "tests/plugins/toys").glob("*.so")]:
            shutil.copy(plugin, self.plugins)
            (self.plugins / plugin.name).chmod(0o644)
        self.apply_manifests()
        self.api = Api(self.kubeconfig)
        return self

    def apply_manifests(self, plugin_dir=None):
        manifests = self.run(str(BUILD / "bin/konductor"), "manifests", "--plugin-dir", str(plugin_dir or self.plugins)).stdout
        self.run("kubectl", "--kubeconfig", str(self.kubeconfig), "apply", "--server-side", "--force-conflicts", "-f", "-",
                 input=manifests)
        self.run("kubectl", "--kubeconfig", str(self.kubeconfig), "wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        return manifests

    def etcd_environment(self):
        """What lets `etcdctl` talk to its etcd."""
        shown = self.run(self.cluster, "env", "--dir", str(self.cluster_dir)).stdout
        return dict(part.split("=", 1) for part in shown.split() if part.startswith("ETCDCTL"))

    def down(self):
        subprocess.run([self.cluster, "down", "--dir", str(self.cluster_dir)], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *command, check=True, input=None, env=None, timeout=60):
        stdin = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}  # never the terminal of who runs the tests
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})}, **stdin)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command[:6])}: exit {done.returncode}: {done.stderr[-800:]}")
        return done

    def kubectl(self, *arguments, **options):
        return self.run("kubectl", "--kubeconfig", str(self.kubeconfig), *arguments, **options)

    def kondctl(self, *arguments, check=False, kubeconfig=None, **options):
        return self.run(str(BUILD / "bin/kondctl"), "--plugin-dir", str(self.plugins), "--kubeconfig", str(kubeconfig or self.kubeconfig),
                        *arguments, check=check, **options)

    def start_kondctl(self, *arguments, env=None, kubeconfig=None, piped=True):
        output = subprocess.PIPE if piped else subprocess.DEVNULL
        return subprocess.Popen([str(BUILD / "bin/kondctl"), "--plugin-dir", str(self.plugins), "--kubeconfig", str(kubeconfig or self.kubeconfig),
                                 *arguments],
                                stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, env={**os.environ, **(env or {})})

    @contextlib.contextmanager
    def namespace(self):
        with self.counting:
            self.count += 1
            name = f"t{os.getpid()}-{self.count}"
        self.api.create("", "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        try:
            yield name
        finally:
            self.api.request("DELETE", f"/api/v1/namespaces/{name}", expect_ok=False)

    @contextlib.contextmanager
    def operator(self, *flags, **options):
        operator = Operator(self, *flags, **options)
        try:
            yield operator.start()
        finally:
            operator.kill()
