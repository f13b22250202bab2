#!/usr/bin/env python3
"""The fault proxy with weather: faults at random requests, as told on stdin, one line of JSON each.

    {"weather": {"drop_request": 0.1, "drop_response": 0.1, "status": 0.5, "delay": 0.2}}   shares of all requests, from now on
    {"cut": true}                                                                            ends all connections
    {"count": true}                                                                          answers with one line of counts

`weather_proxy.py --kubeconfig ADMIN.conf --out DIR`; ends with its stdin.
"""
import asyncio
import json
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support/fault_proxy"))
import fault_proxy  # noqa: E402
from fault_proxy import Fault  # noqa: E402 (the path is set above)

RETRY_AFTER = 1
LONGEST_DELAY = 3.0
LATEST = 15.0  # s: longer than a request may take, and than a lease
# Its certificates are made two hours ago: a client whose clock is an hour behind accepts them too.
EARLIER = {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "FAKETIME": "-2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
GONE = b'"code":410'


class WeatherProxy(fault_proxy.Proxy):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.weather, self.random = {}, random.Random()
        self.counts = dict.fromkeys(("requests", "drop_request", "drop_response", "status", "delay", "late", "cuts", "gone"), 0)

    def fault_of(self, number, method, path):
        self.counts["requests"] += 1
        drawn = {name for name, share in self.weather.items() if self.random.random() < share}
        if method == "GET":
            drawn -= {"drop_response", "late"}  # the answer to a watch has no end
        for name in drawn:
            self.counts[name] += 1
        return Fault(drop_request="drop_request" in drawn, drop_response="drop_response" in drawn,
                     status=(429, RETRY_AFTER) if "status" in drawn else None,
                     delay=self.random.uniform(0.05, LONGEST_DELAY) if "delay" in drawn else 0,
                     late=self.random.uniform(0.5, LATEST) if "late" in drawn else 0)

    def passes(self, part):
        self.counts["gone"] += GONE in part

    def log(self, *_):
        pass

    def obey(self, order):
        if "seed" in order:
            self.random = random.Random(order["seed"])
        if "weather" in order:
            self.weather = order["weather"]
        if "cut" in order:
            self.counts["cuts"] += len(self.connections)
            self.cut()
        if "count" in order:
            print(json.dumps(self.counts), flush=True)


async def run(arguments):
    os.environ.update(EARLIER)
    proxy, server = await fault_proxy.listen(fault_proxy.parse_arguments(arguments), WeatherProxy)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        proxy.obey(json.loads(line))
    await fault_proxy.end(proxy, server)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1:]))
