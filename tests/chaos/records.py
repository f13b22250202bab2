"""Ground truth: lines that processes append to a file as things happen, and that outlive whoever wrote them.

One line is one write to a file that was opened with O_APPEND, so lines of many processes never mix, and a process that
is killed leaves whole lines only. Times are nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share.
"""
import json
import os
import time


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Log:
    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def append(self, what, ns=None, **facts):
        line = json.dumps({"what": what, "ns": now() if ns is None else ns, **facts}, separators=(",", ":")).encode() + b"\n"
        if os.write(self.fd, line) != len(line):
            raise OSError("a line was not written whole")


def read(path):
    try:
        with open(path, "rb") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []
