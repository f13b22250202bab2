"""What the figures were measured on. No names, no paths."""
import os
import pathlib
import platform
import re


def first(pattern, file, otherwise="unknown"):
    try:
        found = re.search(pattern, pathlib.Path(file).read_text(), re.M)
    except OSError:
        return otherwise
    return found.group(1).strip() if found else otherwise


def describe():
    memory = first(r"^MemTotal:\s+(\d+) kB", "/proc/meminfo", "0")
    return {
        "processor": first(r"^model name\s*:\s*(.*)$", "/proc/cpuinfo", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{int(memory) / 1e6:.0f} GB",
        "kernel": platform.release().partition("-")[0],
        "system": first(r'^PRETTY_NAME="?(.*?)"?$', "/etc/os-release"),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def sentence(described):
    return (f"{described['processor']}, {described['cores']} cores, {described['memory']} of memory; {described['system']}, "
            f"Linux {described['kernel']}; Kubernetes {described['kubernetes']}, etcd, the operator and all clients on that one machine; "
            f"load average before the run {described['load before']}.")
