"""Certificates and kubeconfigs of one cluster, made by openssl in its folder pki/."""

import base64
import json
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from base import Failure, last_lines

DAY = 24 * 3600
LONG = (-365 * DAY, 3650 * DAY)

OPENSSL_CONFIGURATION = """\
[req]
distinguished_name = names
string_mask = utf8only
[names]
[ca]
default_ca = sign
[sign]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
email_in_dn = no
preserve = yes
policy = policy
[policy]
organizationName = optional
commonName = supplied
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[client]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = @server_names
[member]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost
[server_names]
DNS.1 = localhost
DNS.2 = kubernetes
DNS.3 = kubernetes.default
DNS.4 = kubernetes.default.svc
DNS.5 = kubernetes.default.svc.cluster.local
{addresses}
"""

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- name: konductor
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: {user}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: konductor
  context:
    cluster: konductor
    user: {user}
current-context: konductor
"""


def subject(name, groups=()):
    escape = lambda text: re.sub(r"([/+\\])", r"\\\1", text)  # noqa: E731  what separates parts in -subj
    return "".join(f"/O={escape(group)}" for group in groups) + f"/CN={escape(name)}"


class Pki:
    """`processes` has the folder, and its lock, which openssl inherits; `addresses` are those of the servers."""

    def __init__(self, processes, addresses):
        self.processes = processes
        self.addresses = addresses

    def path(self, *parts):
        return self.processes.path("pki", *parts)

    def openssl(self, *arguments, cwd):
        # The lock is inherited: no openssl writes into the folder after `down` got the lock.
        try:
            done = subprocess.run(
                ["openssl", *arguments], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", pass_fds=[] if self.processes.lock_fd is None else [self.processes.lock_fd],
            )
        except FileNotFoundError:
            raise Failure("there is no openssl on PATH to make certificates with. packaging/setup installs it.") from None
        if done.returncode != 0:
            raise Failure(f"openssl {shlex.join(arguments)} failed:\n{last_lines(done.stdout)}")

    def certificate(self, subject, extensions, authority=None, valid=LONG):
        """(certificate, key) in PEM, signed by pki/AUTHORITY, or by its own key where that is None. `valid`: from and to, in seconds from now.

        `openssl ca` and not `openssl x509`, since only it can set the start: a year ago, so that tests may move clocks.
        """
        begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds)) for seconds in valid)
        with tempfile.TemporaryDirectory(dir=self.path()) as work:
            addresses = "\n".join(f"IP.{number} = {address}" for number, address in enumerate(self.addresses, 1))
            Path(work, "openssl.cnf").write_text(OPENSSL_CONFIGURATION.format(addresses=addresses))
            Path(work, "index").touch()
            self.openssl(
                "req", "-new", "-config", "openssl.cnf", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", subject, "-keyout", "key", "-out", "request", cwd=work,
            )
            signer = ["-selfsign", "-keyfile", "key"]
            if authority:
                signer = ["-cert", f"../{authority}.crt", "-keyfile", f"../{authority}.key"]
            self.openssl(
                "ca", "-config", "openssl.cnf", "-batch", "-notext", "-utf8", "-in", "request", "-out", "certificate",
                "-extensions", extensions, "-startdate", begin, "-enddate", end, *signer, cwd=work,
            )
            return Path(work, "certificate").read_text(), Path(work, "key").read_text()

    def make(self, wanted):
        """Makes NAME.crt and NAME.key for each (name, subject, extensions, authority), and the key of service accounts."""
        self.path().mkdir()
        for name, who, extensions, authority in wanted:
            certificate, key = self.certificate(who, extensions, authority)
            self.path(name + ".crt").write_text(certificate)
            self.path(name + ".key").write_text(key)
        curve = ("-pkeyopt", "ec_paramgen_curve:P-256")
        self.openssl("genpkey", "-algorithm", "EC", *curve, "-out", "service-account.key", cwd=self.path())
        self.openssl("pkey", "-in", "service-account.key", "-pubout", "-out", "service-account.pub", cwd=self.path())
        shutil.copy(self.path("ca.crt"), self.processes.path("ca.crt"))

    def kubeconfig(self, server, user, certificate, key):
        def inline(text):
            return base64.b64encode(text.encode()).decode()

        return KUBECONFIG.format(
            authority=inline(self.path("ca.crt").read_text()), server=server,
            user=json.dumps(user), certificate=inline(certificate), key=inline(key),
        )

    def kubeconfig_of(self, server, user, name):
        return self.kubeconfig(server, user, *(self.path(f"{name}.{end}").read_text() for end in ("crt", "key")))
