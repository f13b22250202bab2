"""The operator dies, or its connection, at each of its writes in turn: the world comes to the same end all the same.

Operators with just that plugin, each behind a fault proxy of its own, in lanes that run side by side: one alone, which is
started again, or two, of which the standby takes over.
What is promised is judged by every transition of the claims, as a watch tells them, and not only by looks.
"""
import asyncio
import concurrent.futures
import contextlib
import shutil
import sys
import threading
import time

from harness import GROUP, ROOT, Operator
from kinds import BOOKSHELF, SEMAPHORE, held, phase, semaphore
from transitions import History

sys.path.insert(0, str(ROOT / "tests/support/fault_proxy"))
import fault_proxy  # noqa: E402

# What becomes of one write, and whether the operator is killed at it.
WAYS = (("drop_request", True), ("drop_response", True), ("drop_request", False), ("drop_response", False), ("late", False))
STANDBY_WAYS = (("drop_request", True), ("drop_response", True), ("cut", True), ("late", True))
# Of an election that is quick, so that the standby has taken over before a late write comes.
ELECTION = ("--leader-elect", "--leader-elect-lease-duration", "1s", "--leader-elect-renew-deadline", "700ms",
            "--leader-elect-retry-period", "200ms")
LATE = 1.6  # s
PATIENCE = 30.0


class Seat:
    """One operator and the proxy that it talks through."""

    def __init__(self, lane, number, *flags):
        self.dir = lane.dir / str(number)
        self.pid_file = self.dir / "pid"
        arguments = fault_proxy.parse_arguments(["--kubeconfig", str(lane.world.kubeconfig), "--out", str(self.dir)])
        self.proxy, self.server = lane.in_loop(fault_proxy.listen(arguments, lane.counting_proxy))
        self.operator = Operator(lane.world, *flags, plugin_dir=lane.dir / "plugins", kubeconfig=self.dir / "kubeconfig")
        self.start()

    def start(self):
        self.operator.start(ready=False)
        self.pid_file.write_text(str(self.operator.process.pid))

    def arm(self, way, write, kill):
        faults = self.proxy.faults
        for name in ("drop_request", "drop_response", "cut"):
            setattr(faults, name, {write} if way == name else set())
        faults.late = {write: LATE} if way == "late" else {}
        faults.kill_pid_file = str(self.pid_file) if kill else ""


class Lane:
    """One kind, its operators behind proxies, and all that became of its claims."""

    def __init__(self, world, ns, kind, library, name, standby):
        self.world, self.ns, self.kind, self.api = world, ns, kind, world.api
        self.dir = world.dir / f"crash-{name}"
        self.dir.mkdir()
        (self.dir / "plugins").mkdir(mode=0o755)
        shutil.copy(world.plugins / library, self.dir / "plugins")
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.history = History(world, ns, kind.claim_plural)
        self.history.start()
        self.limits, self.hit, self.restarts, self.writes, self.count, self.seats = [], False, 0, [], 0, []
        flags = (*ELECTION, "--leader-elect-namespace", ns) if standby else ()
        self.seats = [Seat(self, number, *flags) for number in range(2 if standby else 1)]
        for seat in self.seats:
            self.until("the operator is ready", seat.operator.is_ready)

    def close(self):
        for seat in self.seats:
            seat.operator.kill()
            self.in_loop(fault_proxy.end(seat.proxy, seat.server))
        self.history.close()
        self.loop.call_soon_threadsafe(self.loop.stop)

    def in_loop(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def counting_proxy(self, *arguments):
        """Writes are counted over all operators: the one that takes over counts on."""
        lane, proxy = self, fault_proxy.Proxy(*arguments)

        def fault_of(number, method, path):
            if number:
                lane.count += 1
            return proxy.faults.at(lane.count if number else 0)

        proxy.fault_of, proxy.log = fault_of, self._log
        return proxy

    def _log(self, _, method, path, status, fault=None):
        self.hit = self.hit or fault is not None
        self.writes.append(f"{self.count} {method} {path.removeprefix(GROUP)} {status} {fault or ''}")

    def arm(self, way, write, kill):
        self.hit, self.writes, self.limits, self.count = False, [], [], 0
        for seat in self.seats:
            seat.arm(way, write, kill)

    def ask(self, primitive, name, **spec):
        self.api.create(self.ns, self.kind.claim_plural, self.kind.claim(f"{primitive}-{name}", primitive, **spec))

    def release(self, primitive, names):
        for name in names:
            self.api.delete(self.ns, self.kind.claim_plural, f"{primitive}-{name}")

    def limit(self, made):
        """Remembers from which resourceVersion on which limit is in force."""
        self.limits.append((int(made["metadata"]["resourceVersion"]), made["spec"].get("permits", 1)))

    def until(self, what, condition):
        """Looks again at each event; starts the operator again where it was killed."""
        end = time.monotonic() + PATIENCE
        while not self.history.wait(condition, 0.02):
            for seat in self.seats:
                if seat.operator.process.poll() is not None:
                    self.restarts += 1
                    seat.start()
            assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"

    def until_phase(self, primitive, names, wanted):
        for name in names:
            self.until(f"{name} is {wanted}", lambda: any(
                phase(claim) == wanted for _, kind, claim in self.history.of(primitive, name) if kind != "DELETED"))

    def until_gone(self, primitive, count):
        self.until("all is told", lambda: sum(kind == "DELETED" for _, kind, _ in self.history.of(primitive)) == count)

    def until_shown(self, primitive, **counts):
        """And that nothing is left to write."""
        def right():
            status = self.api.get(self.ns, self.kind.plural, primitive).get("status", {})
            return all(status.get(key) == count for key, count in counts.items())
        self.until(f"the counts are {counts}", right)


def judge(lane, primitive, order):
    """No transition breaks a promise, and each was served once, in the right order."""
    claims, tokens = {}, {}
    for version, kind, claim in lane.history.of(primitive):
        name, status = claim["metadata"]["name"], claim.get("status", {})
        before = claims.get(name)
        if kind == "DELETED":
            del claims[name]
            continue
        claims[name] = claim
        if before is not None and phase(before) not in ("", "Pending"):
            moved = (phase(before), phase(claim)) in (("Granted", "Granted"), ("Granted", "Expired"), ("Expired", "Expired"), ("Denied", "Denied"))
            assert moved, f"{name} went from {phase(before)} to {phase(claim)}"
        if phase(claim) == "Granted":
            assert tokens.setdefault(name, status["token"]) == status["token"], f"{name} was granted twice"
        limit = [limit for since, limit in lane.limits if since <= version][-1:] or [0]
        units = held(claims.values())
        assert units <= limit[0], f"{units} units held of {limit[0]} at resourceVersion {version}"
    served = [name.removeprefix(primitive + "-") for name in sorted(tokens, key=tokens.get)]
    assert served == order, f"served {served} by their tokens, not {order}"


def semaphore_run(lane, name):
    """Two grants in one record, weights, a raised limit, one that does not wait, releases."""
    def ask(claim, units, **spec):
        lane.ask(name, claim, permits=units, requestedAt=f"2026-01-01T00:00:00.{'abcdef'.index(claim):06d}Z", **spec)

    for claim, units in (("a", 1), ("b", 1), ("c", 2), ("d", 1)):
        ask(claim, units)
    lane.limit(lane.api.create(lane.ns, "semaphores", semaphore(name, 2)))
    lane.until_phase(name, "ab", "Granted")
    ask("f", 2, wait=False)
    lane.until_phase(name, "f", "Denied")
    lane.release(name, "ab")
    lane.until_phase(name, "c", "Granted")
    lane.limit(lane.api.patch(lane.ns, "semaphores", name, {"spec": {"permits": 3}}))
    lane.until_phase(name, "d", "Granted")
    ask("e", 2)
    lane.release(name, "c")
    lane.until_phase(name, "e", "Granted")
    lane.until_shown(name, inUse=3, available=0, waiting=0)
    lane.release(name, "def")
    lane.until_shown(name, inUse=0, available=3, waiting=0)
    lane.until_gone(name, 6)
    judge(lane, name, list("abcde"))


def takeover_run(lane, name):
    """A short one, as each of its runs costs a takeover: marks, two grants in one record, a release, a grant after it."""
    for claim, units in (("a", 1), ("b", 1), ("c", 2)):
        lane.ask(name, claim, permits=units, requestedAt=f"2026-01-01T00:00:00.{'abc'.index(claim):06d}Z")
    lane.limit(lane.api.create(lane.ns, "semaphores", semaphore(name, 2)))
    lane.until_phase(name, "ab", "Granted")
    lane.release(name, "ab")
    lane.until_phase(name, "c", "Granted")
    lane.release(name, "c")
    lane.until_shown(name, inUse=0, available=2, waiting=0)
    lane.until_gone(name, 3)
    judge(lane, name, list("abc"))


def bookshelf_run(lane, name):
    """The first holder says nothing more and expires; only then the second has its turn."""
    lane.limit(lane.api.create(lane.ns, "bookshelves", BOOKSHELF.primitive(name)))
    lane.ask(name, "a", ttl="1s")
    lane.until_phase(name, "a", "Granted")
    lane.ask(name, "b")
    lane.until_phase(name, "a", "Expired")
    lane.until_phase(name, "b", "Granted")
    lane.until_shown(name, readers=0, writers=1, waiting=0)
    lane.release(name, "ab")
    lane.until_shown(name, readers=0, writers=0, waiting=0)
    lane.until_gone(name, 2)
    judge(lane, name, list("ab"))


def at_every_write(world, kind, library, run, name, ways, standby=False, lane_of=Lane):
    """Without faults first, then one fault at write 1, 2, ... until a run ends before its fault has come."""
    with world.namespace() as ns, contextlib.closing(lane_of(world, ns, kind, library, name, standby)) as lane:
        counts, runs = [], 0
        for number in range(2):  # what goes slowly, or changes its leader, takes more writes
            lane.arm("none", 0, False)
            run(lane, f"{kind.word}-none-{number}")
            counts.append(len(lane.writes))
        count = min(counts)
        for number, (way, kill) in enumerate(ways):
            for write in range(1, 10 * count):
                lane.arm(way, write, kill)
                try:
                    run(lane, f"{kind.word}-{number}-{write}")
                except Exception as error:
                    story = "\n  ".join(lane.writes)
                    raise AssertionError(f"{name}, {way} at write {write}{', killed' if kill else ''}: {error}\n  {story}") from error
                runs += lane.hit
                if not lane.hit:
                    break
            assert write > count // 2, f"{write} writes, where {count} were counted without faults"
        kills = sum(kill for _, kill in ways)
        assert lane.restarts >= kills * count * 3 // 4, f"operators were restarted {lane.restarts} times"
        return f"{name}: {count} writes, {runs} faults, {lane.restarts} restarts"


def side_by_side(world, *lanes):
    """No two of one kind: operators see every namespace."""
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        for lane in [pool.submit(at_every_write, world, *arguments) for arguments in lanes]:
            print(f"      {lane.result()}", flush=True)


def test_the_end_is_the_same_wherever_the_operator_or_its_connection_dies(world):
    side_by_side(world, (SEMAPHORE, "semaphore.so", semaphore_run, "semaphore", WAYS),
                 (BOOKSHELF, "rwlock.so", bookshelf_run, "bookshelf", WAYS))


def test_a_standby_takes_over_wherever_the_leader_dies(world):
    side_by_side(world, (SEMAPHORE, "semaphore.so", takeover_run, "standby", STANDBY_WAYS, True))
