"""What happened to objects, as a watch tells it: tests judge by every transition, and not only by looks."""
import contextlib
import http.client
import json
import socket
import threading
import time

from harness import wait_for


class History(threading.Thread):
    """Every transition of the objects of one kind in one namespace, in the order of their resourceVersions."""

    def __init__(self, world, ns, plural):
        super().__init__(daemon=True)
        self.events, self.changed, self.error = [], threading.Condition(), None
        self.heard = {}  # resourceVersion: when, by the monotonic clock
        path = world.api.path(ns, plural)
        # A kind that was just installed is answered with 429 for a moment.
        served = lambda: (answer := world.api.request("GET", path, expect_ok=False))[0] == 200 and answer[1]
        version = wait_for(f"{plural} are served", served)["metadata"]["resourceVersion"]
        self.connection = http.client.HTTPSConnection(world.api.host.hostname, world.api.host.port, context=world.api.context)
        self.connection.request("GET", f"{path}?watch=1&resourceVersion={version}&timeoutSeconds=1000")
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()

    def run(self):
        try:
            while line := self.answer.readline():
                event = json.loads(line)
                version = int(event["object"]["metadata"]["resourceVersion"])
                with self.changed:
                    self.heard[version] = time.monotonic()
                    self.events.append((version, event["type"], event["object"]))
                    self.changed.notify_all()
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            self.error = error
        with self.changed:
            self.error = self.error or "the stream ended"
            self.changed.notify_all()

    def close(self):
        # Closing the connection would wait for the reader.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def of(self, primitive, claim=""):
        return [event for event in list(self.events) if event[2]["metadata"]["name"].startswith(f"{primitive}-{claim}")]

    def wait(self, condition, timeout):
        """True once `condition` is; looks again after each event, and after `timeout` at the latest."""
        with self.changed:
            assert self.error is None, f"the watch of the claims: {self.error}"
            return self.changed.wait_for(condition, timeout)
