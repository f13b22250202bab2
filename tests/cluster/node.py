"""A node: containerd, kubelet and kube-proxy in namespaces of their own, which take all that they made with them.

The network: `kondN` on the host is linked to eth0 in the node's network namespace, which has the pods' bridge, the
nftables tables and no way to other machines. N is the first number that is free.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cgroups
from base import HERE, Failure, last_lines
from images import Images
from namespaces import NamespacesOf, NewNamespaces
from processes import HostNamespaces

NAME = "konductor-node"
PAUSE_IMAGE = "konductor.io/pause:1"
POD_PLUGINS = "/usr/lib/cni"
KILL_SECONDS = 30  # for the end of all pods
LINK_SECONDS = 5
NO_ARGUMENTS = bytes(5)  # an empty message of gRPC: not compressed, length 0

# In the order in which they start: name: (program, health path, seconds to get healthy, port of its health).
NODE_PROCESSES = {
    "node": (sys.executable, None, 20, None),
    "containerd": ("containerd", "/v1/metrics", 30, 1338),
    "kubelet": ("kubelet", "/healthz", 60, 10248),
    "kube-proxy": ("kube-proxy", "/healthz", 60, 10256),
}

CONTAINERD = """\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
address = "{socket}"
[metrics]
address = "{address}:{port}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
# Machines without CAP_SYS_RESOURCE may not lower it: there each sandbox would fail.
restrict_oom_score_adj = true
# Its profile would stay in the kernel after the node.
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = {cni}
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{snapshotter}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""


class Node:
    socket = "/run/containerd/containerd.sock"  # in its own mount namespace

    def __init__(self, cluster, number):
        self.cluster = cluster
        self.images = Images(self)
        self.number = number
        self.link = f"kond{number}"
        self.pod_range = f"10.244.{number}.0/24"
        self.host_address = f"10.245.{number}.1"
        self.address = f"10.245.{number}.2"

    def path(self, *parts):
        return self.cluster.path("node", *parts)

    # -- beginning and end

    @classmethod
    def begin(cls, cluster):
        """The namespaces and the network of a new node. From here on one SIGKILL ends all of it."""
        node = cls(cluster, 0)
        for folder in ("lib", "log", "run", "settings", "cni", "ended"):
            node.path(folder).mkdir(parents=True, mode=0o755)
        node.path("lib", "kubelet").mkdir()
        cgroups.make(cgroups.name_of(cluster.folder))
        kept = [str(cluster.folder), str(cluster.programs)]
        command = [sys.executable, str(HERE / "node_init.py"), str(node.path()), *kept]
        cluster.spawn("node", command, NewNamespaces())
        deadline = time.monotonic() + NODE_PROCESSES["node"][2]
        while not node.path("ready").exists():
            status = cluster.started["node"].poll()
            if status is not None or time.monotonic() > deadline:
                raise Failure(f"the node's namespaces can't be made here:\n{last_lines(cluster.log_of('node'), 3)}")
            time.sleep(0.01)
        return node.connect()

    def connect(self):
        """Links it with the host, by the first free number."""
        used = {line.split()[1] for line in Path("/proc/net/route").read_text().splitlines()[1:]}
        for number in range(256):
            node = Node(self.cluster, number)
            if {f"00{number:02X}F{end}0A" for end in "45"} & used:  # 10.244.N.0 and 10.245.N.0, as /proc writes them
                continue
            peer = ("peer", "name", "eth0", "netns", str(self.cluster.pid("node")))
            done = self.ip(f"link add {node.link} type veth {' '.join(peer)}")
            if done.returncode == 0:
                break
            if "File exists" not in done.stdout:
                raise Failure(f"the link to the node can't be made (ip link add ... type veth):\n{last_lines(done.stdout)}")
        else:
            raise Failure("all of kond0 to kond255, or their networks 10.244.N.0/24 and 10.245.N.0/30, are in use on this machine.")
        inside = f"""\
            address add {node.address}/30 dev eth0
            link set lo up
            link set eth0 up
            route add unreachable default
            route add 10.96.0.0/16 via {node.host_address}"""
        host = f"""\
            address add {node.host_address}/30 dev {node.link}
            link set {node.link} up
            route add {node.pod_range} via {node.address}"""
        for commands, where in ((host, None), (inside, node.namespaces("net"))):
            done = self.ip(commands, where)
            if done.returncode != 0:
                raise Failure(f"the network of the node can't be set up:\n{last_lines(done.stdout)}")
        return node

    def ip(self, commands, where=None):
        return self.run(["ip", "-batch", "-"], where, input=commands.encode())

    @staticmethod
    def end(cluster):
        """Of whatever there is, also of a node that was never complete."""
        cluster.stop("node", kill=True, seconds=KILL_SECONDS)
        for name in NODE_PROCESSES:
            cluster.started.pop(name, None)  # who would tell how it ended is dead
            cluster.stop(name, kill=True)
        cgroups.remove(cgroups.name_of(cluster.folder))
        # The kernel removes the link a moment later, with the network that it leads to.
        with contextlib.suppress(Failure):
            cluster.load()
        deadline = time.monotonic() + LINK_SECONDS
        while cluster.node and os.path.exists(f"/sys/class/net/{cluster.node.link}") and time.monotonic() < deadline:
            time.sleep(0.01)

    # -- processes

    def namespaces(self, *kinds):
        """Of those kinds; without any, all of them."""
        pid = self.cluster.pid("node")
        if pid is None:
            raise Failure(f"the node of {self.cluster} is dead (its process 1 does not run): `up` makes a new cluster.")

        def check():
            if self.cluster.pid("node") != pid:
                raise Failure(f"the node of {self.cluster} ended just now.")

        return NamespacesOf(pid, check, kinds or ("pid", "net", "mnt"), self.path("ended"))

    def run(self, command, where=None, **options):
        """A short program, in some of the node's namespaces, except for the pid namespace.

        It inherits the folder's lock, so it never outlives `down`.
        """
        where = where or HostNamespaces()
        with where.around_fork():
            process = subprocess.Popen(
                command, stdin=options.pop("stdin", subprocess.PIPE), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                pass_fds=[] if self.cluster.lock_fd is None else [self.cluster.lock_fd], preexec_fn=where.enter,
            )
        output = process.communicate(**options)[0]
        return subprocess.CompletedProcess(command, process.returncode, output.decode(errors="replace"))

    def command(self, name):
        if name == "containerd":
            return [shutil.which("containerd"), "--config", str(self.path("containerd.toml"))]
        flags = [f"--config={self.path(name + '.json')}"]
        if name == "kubelet":
            flags += [f"--kubeconfig={self.path('kubelet.kubeconfig')}", f"--hostname-override={NAME}", f"--node-ip={self.address}"]
        return [str(self.cluster.programs / name), *flags]

    # -- settings

    def certificates(self):
        return (
            ("kubelet-client", f"/O=system:nodes/CN=system:node:{NAME}", "client", "ca"),
            ("kubelet", f"/O=system:nodes/CN=system:node:{NAME}", "server", "ca"),
            ("kube-proxy", "/CN=system:kube-proxy", "client", "ca"),
            ("apiserver-kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "client", "ca"),
        )

    def kubeconfigs(self):
        return (
            ("kubelet-client", f"system:node:{NAME}", "node/kubelet.kubeconfig"),
            ("kube-proxy", "system:kube-proxy", "node/kube-proxy.kubeconfig"),
        )

    def apiserver_flags(self):
        return {
            "kubelet-client-certificate": self.cluster.pki_file("apiserver-kubelet-client.crt"),
            "kubelet-client-key": self.cluster.pki_file("apiserver-kubelet-client.key"),
            "kubelet-certificate-authority": self.cluster.pki_file("ca.crt"),
            "kubelet-preferred-address-types": "InternalIP",
        }

    def write_settings(self):
        containerd = CONTAINERD.format(
            socket=self.socket, address=self.address, port=NODE_PROCESSES["containerd"][3], pause=PAUSE_IMAGE, plugins=POD_PLUGINS,
            cni=json.dumps(str(self.path("cni"))), snapshotter=self.snapshotter(),
        )
        self.cluster.write("node/containerd.toml", containerd)
        for name, settings in (
            ("cni/10-bridge.conflist", self.pod_network()),
            ("kubelet.json", self.kubelet_settings()),
            ("kube-proxy.json", self.kube_proxy_settings()),
        ):
            self.cluster.write(f"node/{name}", json.dumps(settings, indent=2) + "\n")

    def snapshotter(self):
        """An overlay on an overlay is refused by the kernel, so in a container files are copied."""
        kind = subprocess.run(["stat", "-f", "-c", "%T", self.path()], capture_output=True, text=True, check=True).stdout.strip()
        return "native" if kind == "overlayfs" else "overlayfs"

    def pod_network(self):
        bridge = {
            "type": "bridge", "bridge": "cni0", "isDefaultGateway": True, "hairpinMode": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": self.pod_range}]]},
        }
        return {"cniVersion": "0.4.0", "name": "konductor", "plugins": [bridge]}

    def kubelet_settings(self):
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.address,
            "healthzBindAddress": self.address,
            "healthzPort": NODE_PROCESSES["kubelet"][3],
            "authentication": {
                "anonymous": {"enabled": False}, "webhook": {"enabled": True},
                "x509": {"clientCAFile": self.cluster.pki_file("ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": self.cluster.pki_file("kubelet.crt"),
            "tlsPrivateKeyFile": self.cluster.pki_file("kubelet.key"),
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": "/" + cgroups.name_of(self.cluster.folder),
            "failCgroupV1": False,
            "failSwapOn": False,
            "makeIPTablesUtilChains": False,
            "clusterDNS": ["10.96.0.10"],  # nobody is there; without one each pod gets a warning event
            "clusterDomain": "cluster.local",
            "resolvConf": "",
            "volumePluginDir": "/var/lib/kubelet/volume-plugins",
            "evictionHard": {
                "memory.available": "50Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%",
            },
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "maxPods": 240,
            "serializeImagePulls": False,
            "kubeAPIQPS": 200,
            "kubeAPIBurst": 400,
        }

    def kube_proxy_settings(self):
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "hostnameOverride": NAME,
            "clientConnection": {"kubeconfig": str(self.path("kube-proxy.kubeconfig"))},
            "healthzBindAddress": f"{self.address}:{NODE_PROCESSES['kube-proxy'][3]}",
            "clusterCIDR": self.pod_range,
            # Settings of the whole machine, which kube-proxy leaves alone when they are 0.
            "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        }

    # -- health

    def cri_problem(self):
        """Why containerd does not answer the kubelet; None if it does. Its metrics are there before it has found its pods again."""
        asked = self.run([
            "curl", "--disable", "--silent", "--show-error", "--max-time", "3", "--http2-prior-knowledge", "--noproxy", "*",
            "--unix-socket", self.socket, "--header", "content-type: application/grpc", "--header", "te: trailers",
            "--data-binary", "@-", "--output", "/dev/null", "--write-out", "%header{grpc-message}",
            "http://localhost/runtime.v1.RuntimeService/Status",
        ], self.namespaces("mnt"), input=NO_ARGUMENTS)
        message = asked.stdout.strip()  # curl writes a carriage return for a header that is empty
        return f"CRI: {message}" if asked.returncode != 0 or message else None

    def problem(self):
        """Why the API server does not call the node ready; None if it does."""
        status, body = self.cluster.get("apiserver", f"/api/v1/nodes/{NAME}")
        if status == 404:
            return f"not registered (if that stays: does a firewall of this machine drop what comes in by {self.link}?)"
        if status != 200:
            return f"the API server answers {status}"
        for condition in json.loads(body)["status"].get("conditions", ()):
            if condition["type"] == "Ready":
                return None if condition["status"] == "True" else "NotReady: " + condition["message"]
        return "NotReady: no condition yet"
