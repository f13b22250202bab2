"""How a client holds a claim: the holder's side of docs/architecture.md, once through kondctl and once through the API alone.

A holder counts its time from before it sent the last request whose answer showed that it does not hold yet, or that it
holds with the same UID and token. When that time is over it has lost the claim, whatever anybody says.
"""
import contextlib
import dataclasses
import datetime
import http.client
import json
import random
import subprocess
import time

from harness import GROUP, Api
from records import now

SECOND = 1_000_000_000
TROUBLE = (OSError, http.client.HTTPException)
PERMITS = GROUP + "/namespaces/{ns}/permits"


class Lost(Exception):
    """The claim is over: expired, revoked, denied or deleted."""


class Refused(Exception):
    """kondctl, or the operator, said no; the words are what the summary counts."""


# What kondctl may say: exit status, what its message contains, and the words for it. The TTLs are so short that a waiting
# claim ends while the API server is restarted.
ENDINGS = (
    (3, "", "denied"),
    (4, "no semaphore chaos/remade", "no semaphore remade"),
    (4, "semaphore chaos/remade does not exist", "no semaphore remade"),
    (4, "semaphore chaos/remade is being deleted", "no semaphore remade"),
    (5, "while waiting for semaphore", "lost while waiting"),
    (5, "the limit is", "more than the limit"),
    (6, "no operator", "no operator"),
    (6, "", "no API server"),
    (124, "", "timeout"),
)
EXPECTED = {"granted", "lost when told", *(words for _, _, words in ENDINGS)}


def ending_of(code, message):
    for known, part, words in ENDINGS:
        if code == known and part in message:
            return words
    return f"exit {code}: {message.strip()[-300:]}"


@dataclasses.dataclass
class Claim:
    semaphore: str
    name: str
    uid: str
    units: int
    ttl: int = 0
    token: int = 0
    deadline: int = 0
    granted: bool = False
    adopted: bool = False  # the same holder had it already


def micro_time():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nanoseconds(ttl):
    """Of a duration in the API's words, such as 1m30s or 4.5s."""
    total, number = 0.0, ""
    units = {"h": 3600, "m": 60, "s": 1}
    for letter in ttl:
        if letter in units:
            total, number = total + float(number) * units[letter], ""
        else:
            number += letter
    return int(total * SECOND)


def pause(random_source, attempt):
    time.sleep(min(2.0, 0.05 * 2 ** attempt) * random_source.uniform(0.5, 1.0))


class Holder:
    """What both kinds of clients do with a claim: look, renew, release, by its name and UID."""

    def __init__(self, kubeconfig, ns, seed):
        self.api, self.ns, self.random = Api(kubeconfig), ns, random.Random(seed)
        self.path = PERMITS.format(ns=ns)

    def until_answered(self, method, path, body=None, content_type="application/json", until=1 << 62):
        """(when it was sent, status, object) of the first try that is answered, and not by trouble of the server."""
        attempt = 0
        while True:
            sent = now()
            with contextlib.suppress(*TROUBLE):
                status, answer = self.api.request(method, path, body, content_type, expect_ok=False)
                if status < 500 and status != 429:
                    return sent, status, answer
            if now() > until:
                raise Lost("no answer in time")
            pause(self.random, attempt)
            attempt += 1

    def note(self, claim, sent, answer):
        """Learns from an answer that shows the claim; sent: before it was asked for."""
        status = answer.get("status", {})
        phase = status.get("phase", "")
        if answer["metadata"]["uid"] != claim.uid or phase not in ("", "Pending", "Granted"):
            raise Lost(phase or "another claim of that name")
        if phase != "Granted":
            claim.deadline = sent + (claim.ttl or 0)
            return
        if claim.granted and status["token"] != claim.token:
            raise Lost("another token")
        claim.ttl, claim.token = nanoseconds(status["ttl"]), status["token"]
        claim.granted = True

    def renew(self, claim, until=1 << 62):
        """One renewal; the deadline moves only where the answer shows that it still holds (or waits)."""
        body = {"metadata": {"uid": claim.uid}, "spec": {"renewTime": micro_time()}}
        sent, status, answer = self.until_answered("PATCH", f"{self.path}/{claim.name}", body, "application/merge-patch+json", until)
        if status >= 300:
            raise Lost(f"renewal answered {status}")
        self.note(claim, sent, answer)
        claim.deadline = sent + claim.ttl

    def release(self, claim):
        self.until_answered("DELETE", f"{self.path}/{claim.name}", {"preconditions": {"uid": claim.uid}})


class ApiHolder(Holder):
    """Acquires by the API alone, as a program with a client library would: create, watch by name, renew while it waits."""

    def acquire(self, semaphore, units, ttl, holder, wait, timeout):
        name = f"{holder}-{now()}"
        spec = {"semaphore": semaphore, "permits": units, "ttl": f"{ttl}s", "holder": holder, "wait": wait, "requestedAt": micro_time()}
        body = {"apiVersion": "sync.konductor.io/v1", "kind": "Permit", "metadata": {"name": name}, "spec": spec}
        while True:
            sent, status, answer = self.until_answered("POST", self.path, body)
            if status == 409:  # an earlier try was executed, and its answer lost
                sent, status, answer = self.until_answered("GET", f"{self.path}/{name}")
            if status < 300:
                break
            if status != 404:
                raise Refused(f"create answered {status}")
            pause(self.random, 2)  # 404 while an API server that has just started does not know the kind yet
        claim = Claim(semaphore, name, answer["metadata"]["uid"], units, ttl * SECOND)
        until = now() + int(timeout * SECOND) if timeout else 1 << 62
        try:
            self.note(claim, sent, answer)
            while not claim.granted:
                if now() > until:
                    self.release(claim)
                    raise Refused("timeout")
                self.watch(claim, answer["metadata"]["resourceVersion"], min(until, now() + claim.ttl // 3))
                if not claim.granted:
                    body = {"metadata": {"uid": claim.uid}, "spec": {"renewTime": micro_time()}}
                    sent, status, answer = self.until_answered("PATCH", f"{self.path}/{name}", body, "application/merge-patch+json")
                    if status >= 300:
                        raise Lost(f"renewal answered {status}")
                    self.note(claim, sent, answer)
            if claim.deadline - now() < claim.ttl * 2 // 3:
                self.renew(claim)
        except Lost as lost:
            self.release(claim)
            raise Refused("denied" if str(lost) == "Denied" else "lost while waiting") from lost
        return claim

    def watch(self, claim, version, until):
        """Until it is granted, or the time is over, or the stream breaks. What it shows is no proof for the deadline."""
        left = max(0.05, (until - now()) / SECOND)
        connection = http.client.HTTPSConnection(self.api.host.hostname, self.api.host.port, context=self.api.context, timeout=left)
        query = f"?watch=1&fieldSelector=metadata.name%3D{claim.name}&resourceVersion={version}"
        with contextlib.suppress(*TROUBLE, ValueError), contextlib.closing(connection):
            connection.request("GET", self.path + query)
            answer = connection.getresponse()
            while answer.status == 200 and not claim.granted and (line := answer.readline()):
                event = json.loads(line)
                if event["type"] == "DELETED":
                    raise Lost("deleted")
                if event["type"] in ("ADDED", "MODIFIED"):
                    deadline = claim.deadline
                    self.note(claim, 0, event["object"])
                    claim.deadline = deadline
                if now() > until:
                    return
        if now() < until and not claim.granted:
            pause(self.random, 0)


class KondctlHolder(Holder):
    """Acquires and releases by `kondctl` processes."""

    def __init__(self, kubeconfig, ns, seed, program):
        super().__init__(kubeconfig, ns, seed)
        self.program = [*program, "--kubeconfig", str(kubeconfig), "-n", ns]

    def run(self, *words):
        process = subprocess.Popen([*self.program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, error = process.communicate()
        return process.returncode, out, error

    def acquire(self, semaphore, units, ttl, holder, wait, timeout):
        words = ["semaphore", "acquire", semaphore, "--permits", str(units), "--ttl", f"{ttl}s", "--holder", holder, "-o", "json"]
        words += ["--wait"] if wait else []
        words += ["--timeout", f"{timeout}s"] if timeout else []
        began = now()
        code, out, error = self.run(*words)
        if code != 0:
            raise Refused(ending_of(code, error))
        told = json.loads(out)
        claim = Claim(semaphore, told["claim"], told["uid"], units, nanoseconds(told["ttl"]), told["token"], granted=True,
                      adopted=told.get("adopted", False))
        # kondctl proved it by a request that it sent after its start. If that is long ago it is proved anew.
        claim.deadline = began + claim.ttl
        if claim.deadline - now() < claim.ttl * 2 // 3:
            try:
                self.renew(claim)
            except Lost as lost:
                raise Refused("lost when told") from lost
        return claim

    def release(self, claim):
        code, _, error = self.run("semaphore", "release", claim.semaphore, "--claim", claim.name, "--timeout", "60s")
        if code not in (0, 4):
            super().release(claim)
