"""etcd, kube-apiserver, kube-controller-manager (and kube-scheduler, where there is a node): settings, start, health."""

import contextlib
import http.client
import json
import re
import shlex
import ssl
import sys
import time
from pathlib import Path

from base import Died, Failure, ending, last_lines, say
from node import NODE_PROCESSES, Node
from pki import Pki, subject
from processes import Processes, free_ports, process_stat

PORT_ATTEMPTS = 5

SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
# Where the Service `kubernetes` points to. It may not be a loopback address; with no node nobody
# connects to it, so it is an address for documentation, which works with no network as well.
ADVERTISED = "198.51.100.1"

# In the order in which they start: name: (program, health path, seconds to get healthy).
CONTROL_PLANE = {
    "etcd": ("etcd", "/health", 60),
    "apiserver": ("kube-apiserver", "/readyz", 120),
    "controller-manager": ("kube-controller-manager", "/healthz", 60),
}
SCHEDULER = {"scheduler": ("kube-scheduler", "/healthz", 60)}
PROCESSES = {**CONTROL_PLANE, **SCHEDULER, **NODE_PROCESSES}


class Cluster(Processes):
    """Everything about one cluster is in its folder:

    cluster.json  programs and ports         kubeconfig, ca.crt  for clients
    pki/          keys and certificates      etcd/               data
    run/NAME.pid  PID, start time, PID in its namespace; logs/NAME.log
    node/         what the node's processes keep (see node.py)
    """

    def __init__(self, folder):
        super().__init__(folder)
        self.programs = None
        self.ports = {}
        self.node = None  # Node, where there is one

    # -- state

    def load(self):
        try:
            state = json.loads(self.path("cluster.json").read_text())
        except FileNotFoundError:
            raise Failure(f"there is no cluster in {self}. Start one: {sys.argv[0]} up --dir {shlex.quote(str(self))}") from None
        self.programs = Path(state["programs"])
        self.ports = state["ports"]
        self.node = Node(self, state["node"]) if "node" in state else None

    def save(self):
        state = {"programs": str(self.programs), "ports": self.ports}
        if self.node:
            state["node"] = self.node.number
        self.write("cluster.json", json.dumps(state, indent=2) + "\n")

    def names(self):
        """Of the processes that this cluster has, in the order in which they start."""
        return tuple(PROCESSES) if self.node else tuple(CONTROL_PLANE)

    def clear(self):
        """Stops everything, whatever the state file says, and empties the folder."""
        Node.end(self)
        self.node = None
        for name in reversed({**CONTROL_PLANE, **SCHEDULER}):
            self.stop(name, kill=True)  # all data goes away; and the API server would wait for clients whose network is gone
        self.empty()

    def remove(self):
        self.clear()
        self.remove_folder()

    # -- certificates

    @property
    def address(self):
        """Of the API server: where there is a node, its end of the link to it, which pods reach and other machines don't."""
        return self.node.host_address if self.node else "127.0.0.1"

    @property
    def server(self):
        return f"https://{self.address}:{self.ports['apiserver']}"

    @property
    def pki(self):
        addresses = ["127.0.0.1", "::1", SERVICE_ADDRESS]
        return Pki(self, addresses + [self.node.host_address, self.node.address] if self.node else addresses)

    def make_pki(self):
        self.pki.make((
            ("ca", "/CN=konductor-test-ca", "authority", None),
            # Its own authority: who has a certificate for the API server may not talk to etcd.
            ("etcd-ca", "/CN=konductor-test-etcd-ca", "authority", None),
            ("etcd", "/CN=etcd", "member", "etcd-ca"),
            ("etcd-client", "/CN=kube-apiserver", "client", "etcd-ca"),
            ("server", "/CN=kube-apiserver", "server", "ca"),
            ("admin", "/O=system:masters/CN=konductor-admin", "client", "ca"),
            ("controller-manager", "/CN=system:kube-controller-manager", "client", "ca"),
            *((("scheduler", "/CN=system:kube-scheduler", "client", "ca"), *self.node.certificates()) if self.node else ()),
        ))

    def kubeconfig(self, name, groups):
        """Of a new user."""
        return self.pki.kubeconfig(self.server, name, *self.pki.certificate(subject(name, groups), "client", "ca"))

    def write_kubeconfigs(self):
        wanted = [
            ("admin", "konductor-admin", "kubeconfig"),
            ("controller-manager", "system:kube-controller-manager", "pki/controller-manager.kubeconfig"),
        ]
        if self.node:
            wanted += [("scheduler", "system:kube-scheduler", "pki/scheduler.kubeconfig"), *self.node.kubeconfigs()]
        for name, user, target in wanted:
            self.write(target, self.pki.kubeconfig_of(self.server, user, name))

    # -- command lines

    def command(self, name):
        if name in NODE_PROCESSES:
            return self.node.command(name)
        flags = {
            "etcd": self.etcd_flags, "apiserver": self.apiserver_flags,
            "controller-manager": self.controller_manager_flags, "scheduler": self.scheduler_flags,
        }[name]()
        return [str(self.programs / PROCESSES[name][0]), *(f"--{flag}={value}" for flag, value in flags.items())]

    def pki_file(self, name):
        return str(self.path("pki", name))

    def etcd_flags(self):
        url = f"https://127.0.0.1:{self.ports['etcd']}"
        peer_url = f"https://127.0.0.1:{self.ports['etcd-peer']}"
        return {
            "name": "konductor",
            "data-dir": str(self.path("etcd")),
            "listen-client-urls": url,
            "advertise-client-urls": url,
            "listen-peer-urls": peer_url,
            "initial-advertise-peer-urls": peer_url,
            "initial-cluster": f"konductor={peer_url}",
            "cert-file": self.pki_file("etcd.crt"),
            "key-file": self.pki_file("etcd.key"),
            "trusted-ca-file": self.pki_file("etcd-ca.crt"),
            "client-cert-auth": "true",
            "peer-cert-file": self.pki_file("etcd.crt"),
            "peer-key-file": self.pki_file("etcd.key"),
            "peer-trusted-ca-file": self.pki_file("etcd-ca.crt"),
            "peer-client-cert-auth": "true",
            # Data survives kill -9 of etcd all the same; only a crash of the whole machine could lose some.
            "unsafe-no-fsync": "true",
        }

    def apiserver_flags(self):
        return {
            "etcd-servers": f"https://127.0.0.1:{self.ports['etcd']}",
            "etcd-cafile": self.pki_file("etcd-ca.crt"),
            "etcd-certfile": self.pki_file("etcd-client.crt"),
            "etcd-keyfile": self.pki_file("etcd-client.key"),
            "bind-address": self.address,
            "secure-port": str(self.ports["apiserver"]),
            "advertise-address": self.address if self.node else ADVERTISED,
            "service-cluster-ip-range": SERVICE_RANGE,
            "client-ca-file": self.pki_file("ca.crt"),
            "tls-cert-file": self.pki_file("server.crt"),
            "tls-private-key-file": self.pki_file("server.key"),
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-signing-key-file": self.pki_file("service-account.key"),
            "service-account-key-file": self.pki_file("service-account.pub"),
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "allow-privileged": "true",
            **(self.node.apiserver_flags() if self.node else {}),
        }

    def component_flags(self, name):
        """What a client of the API server that serves its own health needs."""
        kubeconfig = self.pki_file(f"{name}.kubeconfig")
        return {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": "127.0.0.1",
            "secure-port": str(self.ports[name]),
            "tls-cert-file": self.pki_file("server.crt"),
            "tls-private-key-file": self.pki_file("server.key"),
            "leader-elect": "false",
        }

    def scheduler_flags(self):
        return self.component_flags("scheduler")

    def controller_manager_flags(self):
        return {
            **self.component_flags("controller-manager"),
            "use-service-account-credentials": "true",
            "service-account-private-key-file": self.pki_file("service-account.key"),
            "root-ca-file": self.pki_file("ca.crt"),
            "allocate-node-cidrs": "true",
            "cluster-cidr": self.node.pod_range if self.node else "10.244.0.0/16",
            # With the default of 20, making the service accounts of its controllers takes 5 s of every start.
            "kube-api-qps": "200",
            "kube-api-burst": "400",
            "service-cluster-ip-range": SERVICE_RANGE,
        }

    # -- ports

    def choose_ports(self, name):
        """A free port for one process (etcd needs a second one)."""
        names = ["etcd", "etcd-peer"] if name == "etcd" else [name]
        self.ports.update(zip(names, free_ports(len(names), self.ports.values())))

    def port(self, name):
        """Where its health is told; None if that is nowhere."""
        return PROCESSES[name][3] if name in NODE_PROCESSES else self.ports[name]

    # -- health

    def endpoint(self, name):
        """(scheme, address, port) of what tells the health of a process."""
        if name in NODE_PROCESSES:
            return "http", self.node.address, self.port(name)
        return "https", self.address if name == "apiserver" else "127.0.0.1", self.ports[name]

    def get(self, name, path):
        """(status, body) of a GET as the administrator; only a server with our own certificate is believed."""
        scheme, address, port = self.endpoint(name)
        if scheme == "http":
            connection = http.client.HTTPConnection(address, port, timeout=3)
        else:
            etcd = name == "etcd"
            context = ssl.create_default_context(cafile=self.pki_file("etcd-ca.crt" if etcd else "ca.crt"))
            client = "etcd-client" if etcd else "admin"
            context.load_cert_chain(self.pki_file(client + ".crt"), self.pki_file(client + ".key"))
            connection = http.client.HTTPSConnection(address, port, timeout=3, context=context)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")

    def problem(self, name, path=None):
        """Why a process is not healthy (or a path not there); None if all is well."""
        pid = self.pid(name)
        stat = process_stat(pid) if pid else None
        if stat is None:
            return "stopped"
        if stat[0] == "T":
            return "paused"
        path = path or PROCESSES[name][1]
        try:
            if name == "node":
                return self.node.problem()
            status, body = self.get(name, path)
        except TimeoutError:
            return "no answer within 3 s"
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        if status == 200:
            return self.node.cri_problem() if name == "containerd" else None
        failed = re.findall(r"^\[-\]\S+", body, re.M)  # the lines of /readyz that name what is not ready
        return " ".join([f"answers {status}", *failed])

    def wait_for(self, what, name, path=None, seconds=60, blame=None):
        """Until a process is healthy, or a path of its API is there; `blame` is whose log tells why it takes so long."""
        deadline = time.monotonic() + seconds
        while problem := self.problem(name, path):
            for other, process in self.started.items():
                if process.poll() is not None:
                    self.report_death(other, process.returncode)
            if problem in ("stopped", "paused") and name not in self.started:
                raise Failure(f"{what}: {name} is {problem}. Start it: {sys.argv[0]} start {name} --dir {shlex.quote(str(self))}")
            if time.monotonic() > deadline:
                blame = blame or name
                raise Failure(
                    f"{what}: not there after {seconds} s ({problem}). "
                    f"The last lines of the log of {blame}:\n{last_lines(self.log_of(blame))}"
                )
            time.sleep(0.05)

    def report_death(self, name, status):
        log = self.log_of(name)
        raise Died(
            f"{name} ended {ending(status)} before the cluster was ready. The last lines of its log:\n{last_lines(log)}",
            "address already in use" in log,
        )

    def launch(self, name):
        where = [self.node.namespaces()] if name in NODE_PROCESSES else []
        self.spawn(name, self.command(name), *where)

    def start(self, name):
        self.launch(name)
        self.wait_for(f"health of {name}", name, seconds=PROCESSES[name][2])

    def start_on_free_port(self, name):
        """As start, on other ports if somebody took the chosen ones meanwhile."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            if name == "apiserver":
                self.write_kubeconfigs()
            try:
                return self.start(name)
            except Died as died:
                if not died.port_taken or attempt == PORT_ATTEMPTS:
                    raise
            say(f"port {self.ports[name]} of {name} was taken meanwhile: trying another one")
            self.choose_ports(name)
            self.save()

    def is_healthy(self, patience=0.0):
        """Whether all processes are healthy. A machine under load gets some patience, a process that is not there none."""
        deadline = time.monotonic() + patience
        while problems := [problem for name in self.names() if (problem := self.problem(name))]:
            if "stopped" in problems or "paused" in problems or time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True
