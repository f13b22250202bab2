"""What a process uses, as the kernel tells: /proc/PID."""
import os
import pathlib
import re

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of all its threads so far; known to a hundredth of a second."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid, line):
    return int(re.search(rf"^{line}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) / 1000


def rss_mb(pid):
    return memory_mb(pid, "VmRSS")


def peak_rss_mb(pid):
    return memory_mb(pid, "VmHWM")
