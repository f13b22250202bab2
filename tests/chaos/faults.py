"""Does what the schedule says. Each fault runs in a thread of its own, so that they overlap as they do in the world."""
import collections
import random
import signal
import threading
import time

from judge import Limit
from records import now
from rig import FAKETIME

LEASE = 8.0  # s: the operator's default
EDITED_LIMITS = (0, 1, 2, 3, 4)


class Injector:
    def __init__(self, rig, crowd, log, primitives):
        self.rig, self.crowd, self.log, self.primitives = rig, crowd, log, primitives
        self.counts, self.failures = collections.Counter(), []
        self.limits = {name: [Limit(permits, 0)] for name, permits in primitives.items()}
        self.threads, self.ending = [], threading.Event()
        self.server = threading.Lock()    # one restart of the control plane at a time
        self.editing = threading.Lock()   # limits are edited one after the other

    def follow(self, plan):
        began = time.monotonic()
        for planned in plan:
            if self.ending.wait(max(0.0, began + planned.at - time.monotonic())):
                break
            thread = threading.Thread(target=self.inject, args=(planned,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def settle(self):
        """Ends every fault that lasts."""
        self.ending.set()
        for thread in self.threads:
            thread.join(120)
        for proxy in self.rig.proxies:
            proxy.tell(weather={})
        for name, permits in self.primitives.items():
            if self.limits[name][-1].units < permits:
                self.set_limit(name, permits)

    def inject(self, planned):
        source = random.Random(planned.seed)
        self.log.append("fault", fault=planned.fault, at=planned.at)
        try:
            done = getattr(self, planned.fault.replace(" ", "_"))(source)
        except Exception as error:  # a fault that could not be made is a failure of the test
            self.failures.append(f"{planned.fault} at {planned.at} s: {type(error).__name__}: {error}")
            return
        if done is not False:
            self.counts[planned.fault] += 1
        self.log.append("fault over", fault=planned.fault, at=planned.at, done=done is not False, about=done or "")

    def last(self, seconds):
        """Waits; less where the faults are to end."""
        self.ending.wait(seconds)

    # -- operators

    def someone(self, source):
        return source.choice(self.rig.replicas)

    def kill(self, source):
        replica = self.someone(source)
        replica.signal(signal.SIGKILL)
        return f"op-{replica.number}"

    def kill_leader(self, _):
        leader = self.rig.leader()
        if leader is None:
            return False
        leader.signal(signal.SIGKILL)
        return f"op-{leader.number}"

    def kill_all(self, _):
        for replica in self.rig.replicas:
            replica.signal(signal.SIGKILL)

    def terminate(self, _):
        leader = self.rig.leader()
        if leader is None:
            return False
        leader.signal(signal.SIGTERM)
        return f"op-{leader.number}"

    def pause(self, source):
        leader = self.rig.leader()
        if leader is None:
            return False
        process = leader.process
        process.send_signal(signal.SIGSTOP)
        self.last(LEASE + source.uniform(1, 5))
        process.send_signal(signal.SIGCONT)
        return f"op-{leader.number}"

    # -- connections

    def freeze(self, source):
        proxy = source.choice(self.rig.proxies)
        with proxy.lock:  # nobody tells a frozen one anything
            proxy.process.send_signal(signal.SIGSTOP)
            self.last(source.uniform(1, 12))
            proxy.process.send_signal(signal.SIGCONT)
        return proxy.folder.name

    def cut(self, source):
        source.choice(self.rig.proxies).tell(cut=True)

    def weather(self, source, seconds, **shares):
        proxies = source.choice(([source.choice(self.rig.proxies)], self.rig.proxies))
        for proxy in proxies:
            proxy.tell(weather=shares)
        self.last(seconds)
        for proxy in proxies:
            proxy.tell(weather={})
        return [proxy.folder.name for proxy in proxies]

    def drop(self, source):
        share = source.choice((0.05, 0.2, 0.5))
        return self.weather(source, source.uniform(2, 8), drop_request=share, drop_response=share, late=share / 2)

    def delay(self, source):
        return self.weather(source, source.uniform(2, 8), delay=source.choice((0.1, 0.5)))

    def storm(self, source):
        return self.weather(source, source.uniform(2, 6), status=source.choice((0.3, 0.9)))

    # -- the control plane

    def apiserver(self, source):
        with self.server:
            self.rig.cluster("restart", "apiserver", *source.choice(([], ["--kill"])))

    def etcd(self, _):
        with self.server:
            self.rig.cluster("restart", "etcd", "--kill")

    def compact(self, _):
        with self.server:
            self.rig.compact()
            self.rig.cluster("restart", "apiserver", "--kill")

    # -- clocks

    def clock(self, source):
        if not FAKETIME.exists():
            raise RuntimeError("libfaketime is not installed: run packaging/setup")
        offset = source.choice(("+1h", "-1h", "+0"))
        self.rig.clock_file.write_text(offset + "\n")
        return offset

    # -- primitives

    def persist(self, action):
        """Until the API server answers: what cannot be done now is done a little later."""
        while True:
            try:
                return action()
            except Exception:
                if self.ending.is_set() and self.rig.ending.is_set():
                    raise
                time.sleep(0.1)

    def set_limit(self, name, permits):
        """The judge needs to know when which limit may have been in force: from before the first try until after the next change."""
        with self.editing:
            history = self.limits[name]
            history.append(Limit(permits, now()))
            self.persist(lambda: self.rig.api.patch(self.rig.ns, "semaphores", name, {"spec": {"permits": permits}}))
            before = history[-2]
            history[-2] = Limit(before.units, before.since, now())

    def limit(self, source):
        self.set_limit("edited", source.choice(EDITED_LIMITS))
        self.last(source.uniform(1, 5))
        self.set_limit("edited", source.choice(EDITED_LIMITS[1:]))

    def recreate(self, source):
        with self.editing:
            self.persist(lambda: self.rig.api.delete(self.rig.ns, "semaphores", "remade", expect_ok=False)[0] in (200, 202, 404) or 1 / 0)
            self.last(source.choice((0.0, 0.05, 1.5)))
            body = self.rig.semaphore("remade", self.primitives["remade"])
            self.persist(lambda: self.rig.api.request("POST", self.rig.api.path(self.rig.ns, "semaphores"), body, expect_ok=False)[0] in (201, 409) or 1 / 0)

    # -- clients

    def client_kill(self, source):
        return self.crowd.kill(source)

    def client_pause(self, source):
        return self.crowd.pause(source, self.last)


