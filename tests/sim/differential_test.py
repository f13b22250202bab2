#!/usr/bin/env python3
"""Plays random scripts to the model of the API server and to the real one: both must answer alike.

    differential_test.py SCRIPT_PROGRAM [SEED [STEPS]]

The real one is that of $KUBECONFIG, for example from `eval "$(tests/cluster/cluster env)"`; kubectl talks to it.
"""

import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.toys.example.org"},
    "spec": {"group": "toys.example.org", "scope": "Namespaced",
             "names": {"kind": "Thing", "listKind": "ThingList", "plural": "things", "singular": "thing"},
             "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                           "selectableFields": [{"jsonPath": ".spec.box"}],
                           "schema": {"openAPIV3Schema": {
                               "type": "object",
                               "x-kubernetes-validations": [{
                                   "rule": "!(has(oldSelf.status) && has(oldSelf.status.phase) && oldSelf.status.phase == 'Ended')"
                                           " || (has(self.status) && has(self.status.phase) && self.status.phase == 'Ended')",
                                   "message": "it has ended"}],
                               "properties": {
                                   "spec": {"type": "object", "properties": {"box": {"type": "string"}}},
                                   "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}}}}]}}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Server:
    """The real API server through `kubectl proxy`, which knows how to authenticate."""

    def __init__(self, folder):
        path = str(pathlib.Path(folder) / "socket")
        self.process = subprocess.Popen(["kubectl", "proxy", "--unix-socket", path, "--reject-methods=^$"],
                                        stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not os.path.exists(path) and time.monotonic() < until:
            time.sleep(0.05)
        self.connection = UnixConnection(path)

    def send(self, method, target, body="", content_type=""):
        headers = {"Content-Type": content_type} if content_type else {}
        self.connection.request(method, target, body or None, headers)
        response = self.connection.getresponse()
        text = response.read()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, {}

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def install(server):
    server.send("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.toys.example.org")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        status, _ = server.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json.dumps(CRD),
                                "application/json")
        if status == 201:
            break
        time.sleep(0.3)
    while time.monotonic() < until:
        if server.send("GET", "/apis/toys.example.org/v1/namespaces/default/things")[0] == 200:
            return
        time.sleep(0.2)
    sys.exit("the CustomResourceDefinition is not served")


def observed(status, body, known):
    """The same summary as differential_script.cpp makes of the model's answer."""
    seen = {"status": status}
    if body.get("kind") == "Status":
        seen["reason"] = body.get("reason", "")
    elif "items" in body:
        seen["names"] = [item["metadata"]["name"] for item in body["items"]]
        seen["more"] = bool(body["metadata"].get("continue"))
    else:
        metadata = body["metadata"]
        seen.update(spec=body.get("spec"), shown=body.get("status"), generation=metadata["generation"],
                    changed=known["rv"] != metadata["resourceVersion"])
        if seen["changed"]:
            known["old"] = known["rv"]
        known.update(rv=metadata["resourceVersion"], uid=metadata["uid"])
    return seen


def play(server, lines):
    known, differences = {}, []
    for number, line in enumerate(lines, 1):
        step = json.loads(line)
        known.setdefault(step["object"], {"uid": "none", "rv": "1", "old": "1"})
        body = re.sub(r"\$(uid|rv|old):(\w+)", lambda mark: known[mark[2]][mark[1]], step["body"])
        status, answer = server.send(step["method"], step["target"], body, step["type"])
        seen = observed(status, answer, known[step["object"]])
        if seen != step["expected"]:
            differences.append(f"step {number}: {step['method']} {step['target']} {body}\n"
                               f"  model {json.dumps(step['expected'])}\n  real  {json.dumps(seen)} {answer.get('message', '')}")
            if len(differences) >= 10:
                break
    return number, differences


def main():
    program, seed, steps = sys.argv[1], *(sys.argv[2:4] + ["1", "300"][len(sys.argv) - 2:])
    script = subprocess.run([program, seed, steps], check=True, capture_output=True, text=True).stdout.splitlines()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            install(server)
            count, differences = play(server, script)
        finally:
            server.close()
    print("\n".join(differences))
    print(f"seed {seed}: {count} steps, {len(differences)} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
