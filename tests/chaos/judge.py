"""What must hold, judged from the logs alone after everything is over. Pure: records in, violations out.

A section is a time during which one client believed that it held units of one semaphore. Times are nanoseconds of the
monotonic clock that all processes share, so an overlap found here was real.
"""
import dataclasses

FOREVER = 1 << 62


@dataclasses.dataclass(frozen=True)
class Section:
    who: str       # one run of one client process
    claim: str     # UID
    token: int
    units: int
    asked: int     # before anything was sent for it
    start: int
    end: int       # of the belief: it was released, its own deadline came, or its process was killed
    deadline: int = FOREVER


@dataclasses.dataclass(frozen=True)
class Limit:
    """In force at some time between `since` and `until`: both are widened by the time that the change took."""
    units: int
    since: int
    until: int = FOREVER


@dataclasses.dataclass(frozen=True)
class Waiter:
    who: str
    asked: int
    answered: int = FOREVER  # FOREVER: never


def sections_of(records, kills):
    """Of one semaphore's log. `kills`: run of a client process -> when it was known to live for the last time."""
    opened, closed, first_asked = {}, [], {}
    for record in records:
        key = (record["who"], record["uid"], record["token"])
        if record["what"] == "start":
            # A claim that was there already was granted for an earlier question, perhaps of a run that was killed.
            asked = first_asked.setdefault(record["uid"], 0 if record.get("adopted") else record["asked"])
            opened[key] = {**record, "asked": asked}
        elif record["what"] == "renew" and key in opened:
            opened[key]["deadline"] = record["deadline"]
        elif record["what"] == "end" and key in opened:
            closed.append((opened.pop(key), record["ns"]))
    for first in opened.values():
        # Its process was killed, or hangs: it believed as long as it lived, and no longer than its deadline.
        closed.append((first, kills.get(first["who"], FOREVER)))
    return sorted((Section(first["who"], first["uid"], first["token"], first["units"], first["asked"], first["ns"],
                           max(first["ns"], min(end, first["deadline"])), first["deadline"]) for first, end in closed),
                  key=lambda section: section.start)


def seconds(ns, base=0):
    return f"{(ns - base) / 1e9:.3f} s"


def describe(section, base):
    return f"{section.who} (token {section.token}, {section.units} units, {seconds(section.start, base)} to {seconds(section.end, base)})"


def limit_for(section, limits):
    """The most that was allowed at any time at which it can have been granted."""
    return max((limit.units for limit in limits if limit.since <= section.start and limit.until >= section.asked), default=0)


def overlaps(sections, limits, base=0):
    """A section that begins while others hold so much that it cannot have been granted."""
    found, holding = [], []
    for section in sections:
        holding = [other for other in holding if other.end > section.start]
        holding.append(section)
        units, allowed = sum(other.units for other in holding), limit_for(section, limits)
        if units > allowed:
            found.append(f"overlap: {units} units held of {allowed} at {seconds(section.start, base)}: "
                         + "; ".join(describe(other, base) for other in holding))
    return found


def token_regressions(sections, limits, base=0):
    """A token that is not above that of a section which certainly was granted before it."""
    found, highest, started = [], None, {}
    for section in sections:
        same = started.get(section.token)
        if same and same.claim != section.claim:
            found.append(f"token given twice: {describe(same, base)}; {describe(section, base)}")
        started.setdefault(section.token, section)
        # What fits together may start in another order than it was granted; what does not fit may not.
        if highest and highest.claim != section.claim and section.token <= highest.token \
                and highest.units + section.units > limit_for(section, limits):
            found.append(f"token goes backwards: {describe(section, base)} after {describe(highest, base)}")
        if highest is None or section.token > highest.token:
            highest = section
    found += asked_later(sections, base)
    return found


def asked_later(sections, base):
    """Who asks after another one has begun is granted after it."""
    found, begun, index = [], None, 0
    for section in sorted(sections, key=lambda one: one.asked):
        while index < len(sections) and sections[index].start < section.asked:
            begun = sections[index] if begun is None or sections[index].token > begun.token else begun
            index += 1
        if begun and begun.claim != section.claim and section.token <= begun.token:
            found.append(f"token goes backwards: {describe(section, base)} was asked for after {describe(begun, base)} began")
    return found


def late_beliefs(sections, freed, base=0):
    """`freed`: claim UID -> when somebody saw that it holds nothing any more, so it was freed no later than that."""
    return [f"believed after it was freed: {describe(section, base)}, freed by {seconds(freed[section.claim], base)}"
            for section in sections if section.end > freed.get(section.claim, FOREVER)]


def never_served(waiters, kills, base=0):
    return [f"never served: {waiter.who} asked at {seconds(waiter.asked, base)}"
            for waiter in waiters if waiter.answered == FOREVER and waiter.who not in kills]


def judge(sections, limits, freed, base=0):
    """All violations of one semaphore."""
    return overlaps(sections, limits, base) + token_regressions(sections, limits, base) + late_beliefs(sections, freed, base)


def shown_overlaps(events, limit):
    """What the API server showed of one semaphore with a limit that never changed; events as history.Seen, in order."""
    found, holding = [], {}
    for event in events:
        holding.pop(event.uid, None)
        if event.holds:
            holding[event.uid] = event
            units = sum(other.units for other in holding.values())
            if units > limit:
                found.append(f"shown overlap: {units} units of {limit} at resourceVersion {event.version}: {', '.join(o.name for o in holding.values())}")
    return found
