"""What a node needs of the machine: named one by one, with the way to get it, before anything is started."""

import os
import shutil
import subprocess
from pathlib import Path

import cgroups
from base import PACKAGING, Failure
from node import POD_PLUGINS

# program or file: Debian package
PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "mount": "mount",
    "cc": "g++",
    "curl": "curl",
    f"{POD_PLUGINS}/bridge": "containernetworking-plugins",
    f"{POD_PLUGINS}/host-local": "containernetworking-plugins",
    f"{POD_PLUGINS}/loopback": "containernetworking-plugins",
}

# Linux' numbers of those that containerd, runc and the kubelet use, or give to containers.
CAPABILITIES = {
    "CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_FSETID": 4, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7,
    "CAP_SETPCAP": 8, "CAP_NET_BIND_SERVICE": 10, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_MKNOD": 27, "CAP_AUDIT_WRITE": 29, "CAP_SETFCAP": 31,
}

CONTROLLERS = ("cpu", "cpuset", "memory", "pids")


def missing_capabilities():
    text = Path("/proc/self/status").read_text()
    effective = int(text.split("CapEff:")[1].split()[0], 16)
    return [name for name, bit in CAPABILITIES.items() if not effective >> bit & 1]


def missing_programs():
    """{program: package}; a program is looked for on PATH, a file at its place."""
    return {name: package for name, package in PROGRAMS.items() if shutil.which(name) is None}


def overlay_missing():
    if "\toverlay\n" in Path("/proc/filesystems").read_text():
        return False
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "overlay"], capture_output=True, check=False)
    return "\toverlay\n" not in Path("/proc/filesystems").read_text()


def require():
    """Raises Failure if a node can't be had here."""
    if os.geteuid() != 0:
        raise Failure(
            "--node needs root (for namespaces, mounts and cgroups): use sudo, or start it without --node: then pods stay Pending."
        )
    lacks = []
    if capabilities := missing_capabilities():
        lacks.append(f"capabilities: {', '.join(capabilities)}. In a container: start it with --privileged.")
    if programs := missing_programs():
        named = [f"{name} (package {package})" for name, package in programs.items()]
        lacks.append(f"programs: {', '.join(named)}. Install them: {PACKAGING / 'setup'} --node")
    if controllers := [name for name in CONTROLLERS if name not in cgroups.controllers()]:
        advice = "Mount them below /sys/fs/cgroup, or enable them in the kernel's command line."
        lacks.append(f"cgroup controllers: {', '.join(controllers)}. {advice}")
    if overlay_missing():
        lacks.append("the kernel's overlay filesystem. Load it: modprobe overlay")
    if not os.path.exists("/dev/kmsg"):
        lacks.append("/dev/kmsg, which the kubelet reads. In a container: start it with --privileged, or bind it in.")
    if lacks:
        raise Failure("no node is possible on this machine. It lacks\n" + "\n".join("  - " + line for line in lacks))
