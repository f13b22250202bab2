"""Ways to an API server other than the administrator's: other servers, users, tokens."""
import base64
import contextlib
import json
import socket
import subprocess
import sys
import time

import yaml_lite
from harness import ROOT

sys.path.insert(0, str(ROOT / "tests/cluster"))
from pki import Pki, subject  # noqa: E402


class Kubeconfig:
    """A kubeconfig of our own, as JSON, which is YAML."""

    def __init__(self, world):
        self.file = world.dir / f"kubeconfig-{time.monotonic_ns()}"
        known = yaml_lite.load_kubeconfig(world.kubeconfig)
        self.cluster = {"server": known["server"], "certificate-authority-data": known["ca"]}
        self.user = {"client-certificate-data": known["cert"], "client-key-data": known["key"]}

    def write(self):
        self.file.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": self.cluster}], "users": [{"name": "u", "user": self.user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
        return self.file

    def to(self, server):
        self.cluster = {"server": server, "insecure-skip-tls-verify": True}
        return self.write()

    def with_token(self, token):
        self.user = {"token": token}
        return self.write()

    def with_exec(self, command, *args, **more):
        self.user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(command), "args": list(args),
                              "interactiveMode": "IfAvailable", **more}}
        return self.write()


@contextlib.contextmanager
def silent_server():
    """Takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"https://127.0.0.1:{server.getsockname()[1]}"


def user(world, name):
    file = world.dir / f"kubeconfig-{name}"
    file.write_text(world.run(world.cluster, "user", name, "--dir", str(world.cluster_dir)).stdout)
    return file


def allow(world, ns, name, rules):
    flags = [f"--{key}={value}" for key, value in rules.items()]
    role = f"{name}-{abs(hash(str(rules)))}"
    world.kubectl("create", "role", role, "-n", ns, *flags)
    world.kubectl("create", "rolebinding", role, "-n", ns, f"--role={role}", f"--user={name}")


@contextlib.contextmanager
def operator_user(world, name):
    """A user with the operator's own role, as `konductor manifests` prints it, and no other right."""
    world.kubectl("create", "clusterrolebinding", name, "--clusterrole=konductor-operator", f"--user={name}")
    try:
        yield user(world, name)
    finally:
        world.kubectl("delete", "clusterrolebinding", name)


def signed(world, token, ends_in):
    """The token of a service account with another end, signed anew with the cluster's own key (ES256)."""
    encode = lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")
    head, body, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["exp"] = int(time.time()) + ends_in
    claims["iat"] = claims["nbf"] = claims["exp"] - 7200
    text = f"{head}.{encode(json.dumps(claims).encode())}"
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(world.cluster_dir / "pki/service-account.key")],
                         input=text.encode(), capture_output=True, check=True).stdout
    # SEQUENCE { INTEGER r, INTEGER s }, each at most 33 bytes; a token has both as 32 bytes.
    r = der[4:4 + der[3]]
    s = der[6 + der[3]:]
    return f"{text}.{encode(b''.join(int.from_bytes(n, 'big').to_bytes(32, 'big') for n in (r, s)))}"


def certificate(world, name, groups=(), ends_in=3600):
    """(certificate, key) of a user, in PEM, signed by the cluster's own authority."""
    class Folder:
        lock_fd = None

        @staticmethod
        def path(*parts):
            return world.cluster_dir.joinpath(*parts)

    return Pki(Folder, []).certificate(subject(name, groups), "client", "ca", (-60, ends_in))
