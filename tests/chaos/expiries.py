"""How late a claim was freed, from what the API server showed. Pure: events in, figures out."""
import collections
import dataclasses

SECOND = 1_000_000_000
QUIET, GAP, BEHIND, COLD = "running", "leaderless", "just after", "cold start"
BEHIND_TIME = SECOND  # what becomes due so soon after a takeover is freed behind what became due while nobody led


@dataclasses.dataclass(frozen=True)
class Expiry:
    name: str
    base: int    # when the grant, or the last renewal, was seen
    ttl: int
    freed: int   # when it was seen to be freed
    when: str = QUIET
    due: int = 0  # base + ttl; while nobody led, when somebody did again
    outage: int = 0  # of a cold start: how long nobody led

    @property
    def late(self):
        return self.freed - self.due


@dataclasses.dataclass(frozen=True)
class Incident:
    """Nobody led between these times; cold: whoever leads then had not seen anything before."""
    began: int
    over: int
    cold: bool = False
    since: int = 0  # when the one that took over was started: what was granted before it has not seen from its begin


def classify(expiry, incidents):
    due = expiry.base + expiry.ttl
    when = QUIET
    for incident in incidents:
        if incident.began > expiry.freed or incident.over < expiry.base:
            continue
        if incident.cold or expiry.base < incident.since:
            return dataclasses.replace(expiry, when=COLD, due=due, outage=incident.over - incident.began)
        if incident.began <= due <= incident.over <= expiry.freed:
            when, due = GAP, incident.over
        elif incident.over < due <= incident.over + BEHIND_TIME:
            when = BEHIND
    return dataclasses.replace(expiry, when=when, due=due)


def expiries(events, nanoseconds, incidents=()):
    """Of each claim that expired. `events` as history.Seen, in order."""
    based, found = {}, []
    for event in events:
        known = based.get(event.uid)
        if event.phase == "Granted" and not event.gone and (known is None or known[1] != event.renewed):
            based[event.uid] = (event.ns, event.renewed, nanoseconds(event.ttl))
        elif event.phase == "Expired" and known:
            del based[event.uid]
            found.append(Expiry(event.name, known[0], known[2], event.ns))
    incidents = [ended_by_the_first(incident, found) for incident in incidents]
    return [classify(expiry, incidents) for expiry in found]


def ended_by_the_first(incident, found):
    """What became due since it began can only have been freed by somebody who led again, whenever that was noticed."""
    freed = [expiry.freed for expiry in found if incident.began < expiry.base + expiry.ttl <= expiry.freed < incident.over]
    return dataclasses.replace(incident, over=min(freed, default=incident.over))


def early(found, proofs):
    """`proofs`: claim name -> before the last request was sent whose answer showed that it holds, or does not yet hold."""
    return [f"early: {one.name} was freed {(proofs[one.name] + one.ttl - one.freed) / SECOND:.3f} s before its time"
            for one in found if one.name in proofs and one.freed < proofs[one.name] + one.ttl]


def share(values, part):
    """The value that this part of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def table(found):
    """One line for each kind of time: count, and lateness in ms."""
    groups = collections.defaultdict(list)
    for one in found:
        groups[one.when].append(one.late / 1e6)
    lines = [f"{'freed - due (ms)':<18}{'claims':>8}{'least':>9}{'median':>9}{'99 %':>9}{'99.9 %':>9}{'most':>9}"]
    for when, late in sorted(groups.items()):
        figures = [min(late), share(late, 0.5), share(late, 0.99), share(late, 0.999), max(late)]
        lines.append(f"{when:<18}{len(late):>8}" + "".join(f"{figure:>9.1f}" for figure in figures))
    return lines


def crowd(found):
    """The most claims that became due while nobody led, in one such time."""
    return max(collections.Counter(one.due for one in found if one.when == GAP).values(), default=0)


def too_late(found, bare=0, allowed=250 * SECOND // 1000, part=0.999):
    """What is promised of lateness. `bare`: what as many bare writes as the crowd() of a takeover take the server; those of the
    crowd wait for each other that long, whoever writes them, and so do those just behind it."""
    wrong = []
    for when in (QUIET, GAP, BEHIND):
        late, limit = [one.late for one in found if one.when == when], allowed + (0 if when == QUIET else bare)
        if late and share(late, part) > limit:
            wrong.append(f"late: {when}: {part:.1%} within {share(late, part) / 1e6:.0f} ms, not within {limit / 1e6:.0f} ms")
    wrong += [f"late: {one.name}: {one.late / SECOND:.1f} s after a cold start, its TTL is {one.ttl / SECOND:.1f} s, and nobody led for {one.outage / SECOND:.1f} s"
              for one in found if one.when == COLD and one.late > one.ttl + one.outage + allowed]
    return wrong
