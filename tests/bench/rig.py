"""What the scenarios share: clusters, operators, runs of the driver, the figures."""
import contextlib
import json
import subprocess
import tempfile
import time

import harness
from base import Failure
from figures import print_table


class Rig:
    def __init__(self, driver):
        self.driver = driver
        self.figures = []
        self.samples = {}  # name: blocks of milliseconds
        self.world = None
        self.kubernetes = None
        self.used = []  # namespaces with something in them

    # -- clusters

    def up(self):
        self.world = harness.World().up()
        self.kubernetes = self.world.api.request("GET", "/version")["gitVersion"]

    def down(self):
        if self.world:
            self.world.down()
        self.world = None
        self.used = []

    @contextlib.contextmanager
    def operator(self, *flags):
        with self.world.operator(*flags) as operator:
            yield operator

    def namespace(self):
        """A new one. Nobody deletes it: that would go on in the background, through what is measured next."""
        self.world.api.request("GET", "/version")  # it may be minutes since the last request; a GET gets over a closed connection
        self.world.count += 1
        name = f"bench-{self.world.count}"
        self.used.append(name)
        self.world.api.create("", "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        account = self.world.api.path(name, "serviceaccounts", "default")
        harness.wait_for("the namespace has its service account", lambda: self.world.api.request("GET", account, expect_ok=False)[0] == 200)
        return name

    # -- the driver

    def drive(self, command, ns, on_line=None, **flags):
        """Runs one command of the driver and gives the lines that it printed; `on_line` sees each at once."""
        arguments = [f"--{name}={value}" for name, value in flags.items()]
        lines = []
        with tempfile.TemporaryFile("w+") as complaints:
            process = subprocess.Popen([str(self.driver), command, f"--kubeconfig={self.world.kubeconfig}", f"--namespace={ns}", *arguments],
                                       stdout=subprocess.PIPE, stderr=complaints, text=True)
            try:
                for text in process.stdout:
                    line = json.loads(text)
                    if on_line:
                        on_line(line)
                    lines.append(line)
                status = process.wait()
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if status != 0:
                complaints.seek(0)
                raise Failure(f"{command}: {complaints.read().strip()[-800:]}")
        return lines

    def rounds(self, command, on_line=None, **flags):
        """The milliseconds of a run in a namespace of its own."""
        return [line["ms"] for line in self.drive(command, self.namespace(), on_line, **flags) if "ms" in line]

    def clear(self):
        """Nothing of one run is left for the next. No operator runs meanwhile: it would hand everything on."""
        while self.used:
            self.drive("clear", self.used.pop())

    # -- figures

    def add(self, *figures):
        self.figures.extend(figures)

    def keep(self, name, blocks):
        self.samples[name] = blocks
        return blocks

    def run(self, name, scenario):
        began, before = time.monotonic(), len(self.figures)
        print(f"\n{name}", flush=True)
        if scenario.cluster == "own" or (scenario.cluster == "shared" and self.world is None):
            self.down()
            self.up()
        try:
            scenario(self)
            if scenario.cluster == "own":
                self.down()
            elif scenario.cluster == "shared":
                self.clear()
        except Exception:
            self.down()
            raise
        finally:
            print_table(self.figures[before:])
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def scenario(cluster="shared"):
    """`own`: a cluster for it alone, as it leaves much behind; `none`: it needs no cluster."""
    def decorate(function):
        function.cluster = cluster
        return function
    return decorate
