"""All that the API server showed of the claims of one namespace, with the time at which it was seen.

Seen through breaks of the stream: it goes on where it was, and where that place in history is gone it lists again.
"""
import contextlib
import dataclasses
import http.client
import json
import socket
import threading
import time

from harness import ApiError
from records import now

TROUBLE = (OSError, http.client.HTTPException, ApiError, ValueError)
HOLDING = ("Granted", "Revoking")


@dataclasses.dataclass(frozen=True)
class Seen:
    """One state of one claim, or its end (gone)."""
    ns: int
    version: int
    uid: str
    name: str
    primitive: str
    units: int
    phase: str
    token: int
    ttl: str
    renewed: str
    gone: bool = False

    @property
    def holds(self):
        return not self.gone and self.phase in HOLDING

    @property
    def waits(self):
        return not self.gone and self.phase in ("", "Pending")


def seen(ns, claim, gone=False):
    status, spec, metadata = claim.get("status", {}), claim["spec"], claim["metadata"]
    return Seen(ns, int(metadata["resourceVersion"]), metadata["uid"], metadata["name"], spec["semaphore"], spec.get("permits", 1),
                status.get("phase", ""), status.get("token", 0), status.get("ttl", ""), spec.get("renewTime", ""), gone)


class History(threading.Thread):
    def __init__(self, api, ns, on_seen=None):
        super().__init__(daemon=True)
        self.api, self.path = api, api.path(ns, "permits")
        self.events, self.last, self.version = [], {}, ""
        self.breaks = self.relists = 0
        self.on_seen, self.stopped, self.connection = on_seen, False, None

    def note(self, event):
        self.events.append(event)
        if event.gone:
            self.last.pop(event.uid, None)
        else:
            self.last[event.uid] = event
        if self.on_seen:
            self.on_seen(event)

    def run(self):
        while not self.stopped:
            try:
                if not self.version:
                    self.list()
                self.follow()
            except TROUBLE:
                if not self.stopped:
                    time.sleep(0.1)
            self.breaks += 1

    def list(self):
        answer = self.api.request("GET", self.path)
        at, self.relists = now(), self.relists + 1
        listed = {claim["metadata"]["uid"]: seen(at, claim) for claim in answer["items"]}
        for uid, before in list(self.last.items()):
            if uid not in listed:
                self.note(dataclasses.replace(before, ns=at, gone=True))
        for uid, event in sorted(listed.items(), key=lambda one: one[1].holds):  # who was freed comes first
            if uid not in self.last or self.last[uid].version != event.version:
                self.note(event)
        self.version = answer["metadata"]["resourceVersion"]

    def follow(self):
        host = self.api.host
        self.connection = http.client.HTTPSConnection(host.hostname, host.port, context=self.api.context, timeout=60)
        with contextlib.closing(self.connection):
            self.connection.connect()
            self.socket = self.connection.sock
            self.connection.request("GET", f"{self.path}?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion={self.version}")
            answer = self.connection.getresponse()
            if answer.status == 410:
                self.version = ""
            while answer.status == 200 and (line := answer.readline()):
                at = now()
                event = json.loads(line)
                if event["type"] == "ERROR":
                    self.version = "" if event["object"].get("code") == 410 else self.version
                    return
                if event["type"] != "BOOKMARK":
                    self.note(seen(at, event["object"], event["type"] == "DELETED"))
                self.version = event["object"]["metadata"]["resourceVersion"]

    def stop(self):
        self.stopped = True
        with contextlib.suppress(OSError, AttributeError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.join(10)

    def freed(self):
        """Claim UID -> when it was first seen not to hold any more."""
        ended, held = {}, set()
        for event in self.events:
            if event.holds:
                held.add(event.uid)
            elif event.uid in held or event.gone or not event.waits:
                ended.setdefault(event.uid, event.ns)
        return ended


def longest_idle(events, limit):
    """The longest time (ns) for which somebody waited for one semaphore who fitted, before anybody was granted.

    `limit` is the least that was in force. Waits of whom the head of the queue is too large for are not counted.
    """
    state, since, longest = {}, None, 0
    for event in events:
        before = state.get(event.uid)
        if event.gone:
            state.pop(event.uid, None)
        else:
            state[event.uid] = event
        granted = event.holds and not (before and before.holds)
        if granted and since is not None:
            longest = max(longest, event.ns - since)
            since = None
        held = sum(one.units for one in state.values() if one.holds)
        # Only the largest that waits surely fits at the head, whoever that is.
        waiting = max((one.units for one in state.values() if one.waits), default=None)
        fits = waiting is not None and held + waiting <= limit
        since = (since or event.ns) if fits else None
    return longest
