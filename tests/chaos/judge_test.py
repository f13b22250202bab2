#!/usr/bin/env python3
"""The judge finds each violation that is planted here, and nothing where there is none."""
import dataclasses
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judge  # noqa: E402
from judge import FOREVER, Limit, Section, Waiter  # noqa: E402


def section(who, token, start, end, units=1, asked=None, claim=None):
    return Section(who, claim or f"uid-{who}", token, units, start - 5 if asked is None else asked, start, end)


ONE, TWO = [Limit(1, 0)], [Limit(2, 0)]

# name, sections, limits, claims seen freed, the first word of each violation
SECTIONS = [
    ("one after the other", [section("a", 1, 10, 20), section("b", 2, 20, 30)], ONE, {}, []),
    ("two where one may", [section("a", 1, 10, 20), section("b", 2, 19, 30)], ONE, {}, ["overlap"]),
    ("two where two may", [section("a", 1, 10, 20), section("b", 2, 19, 30)], TWO, {}, []),
    ("weights count", [section("a", 1, 10, 20, units=2), section("b", 2, 19, 30)], TWO, {}, ["overlap"]),
    ("an older one still runs", [section("a", 1, 10, 90), section("b", 2, 11, 20), section("c", 3, 30, 40), section("d", 4, 35, 50)],
     TWO, {}, ["overlap"]),
    ("granted before the limit was lowered", [section("a", 1, 10, 40), section("b", 2, 30, 50, asked=15)],
     [Limit(2, 0, 20), Limit(1, 18)], {}, []),
    ("asked for after the limit was lowered", [section("a", 1, 10, 40), section("b", 2, 30, 50, asked=25)],
     [Limit(2, 0, 20), Limit(1, 18)], {}, ["overlap"]),
    ("holders stay when the limit is lowered", [section("a", 1, 10, 60), section("b", 2, 11, 60)], [Limit(2, 0, 20), Limit(0, 18)], {}, []),
    ("no limit is in force", [section("a", 1, 10, 20)], [Limit(1, 30)], {}, ["overlap"]),
    ("a token goes backwards", [section("a", 5, 10, 20), section("b", 4, 30, 40)], ONE, {}, ["token", "token"]),
    ("a batch may start in any order", [section("a", 5, 10, 20, asked=1), section("b", 4, 11, 20, asked=1)], TWO, {}, []),
    ("but not where it was asked for later", [section("a", 5, 10, 20, asked=1), section("b", 4, 15, 20, asked=12)], TWO, {}, ["token"]),
    ("a token is given twice", [section("a", 5, 10, 20, asked=1), section("b", 5, 11, 20, asked=1)], TWO, {}, ["token"]),
    ("a claim that is adopted keeps its token", [section("a", 5, 10, 20, claim="x"), section("b", 5, 30, 40, claim="x")], ONE, {}, []),
    ("believed after it was freed", [section("a", 1, 10, 20)], ONE, {"uid-a": 19}, ["believed"]),
    ("freed after the belief ended", [section("a", 1, 10, 20)], ONE, {"uid-a": 20}, []),
]


def record(what, ns, who="c1", uid="u", token=7, **facts):
    return {"what": what, "ns": ns, "who": who, "uid": uid, "token": token, **facts}


START = {"units": 1, "asked": 1}

# name, records, kills, (start, end) of each section
LOGS = [
    ("start and end", [record("start", 10, deadline=50, **START), record("end", 20)], {}, [(10, 20)]),
    ("a belief ends with its deadline", [record("start", 10, deadline=50, **START), record("end", 70)], {}, [(10, 50)]),
    ("a renewal moves it", [record("start", 10, deadline=50, **START), record("renew", 40, deadline=80), record("end", 70)], {}, [(10, 70)]),
    ("a kill ends it", [record("start", 10, deadline=50, **START)], {"c1": 30}, [(10, 30)]),
    ("a kill after the deadline changes nothing", [record("start", 10, deadline=50, **START)], {"c1": 90}, [(10, 50)]),
    ("a kill that came before the line was written", [record("start", 10, deadline=50, **START)], {"c1": 9}, [(10, 10)]),
    ("who hangs believes until the deadline", [record("start", 10, deadline=50, **START)], {}, [(10, 50)]),
    ("two runs of a client are two sections",
     [record("start", 10, deadline=50, **START), record("start", 30, who="c2", deadline=80, **START), record("end", 40, who="c2")],
     {"c1": 20}, [(10, 20), (30, 40)]),
]


@dataclasses.dataclass
class Shown:
    uid: str
    holds: bool
    units: int = 1
    version: int = 0

    @property
    def name(self):
        return self.uid


# name, states in order, how many violations, with a limit of 2
SHOWN = [
    ("up to the limit", [("a", True), ("b", True), ("a", False), ("c", True)], 0),
    ("above the limit", [("a", True), ("b", True), ("c", True)], 1),
    ("weights above the limit", [("a", True, 2), ("b", True)], 1),
    ("the same one twice", [("a", True, 2), ("a", True, 2)], 0),
]


class Judge(unittest.TestCase):
    def test_finds_what_is_planted(self):
        for name, sections, limits, freed, wanted in SECTIONS:
            with self.subTest(name):
                found = judge.judge(sections, limits, freed)
                self.assertEqual([text.split()[0].rstrip(":") for text in found], wanted, found)

    def test_reads_sections_out_of_the_log(self):
        for name, records, kills, wanted in LOGS:
            with self.subTest(name):
                self.assertEqual([(one.start, one.end) for one in judge.sections_of(records, kills)], wanted)

    def test_puts_a_claim_that_is_adopted_down_to_its_first_question(self):
        first = record("start", 10, deadline=20, units=1, asked=5)
        again = record("start", 30, deadline=40, units=1, asked=25, adopted=True)
        self.assertEqual([one.asked for one in judge.sections_of([first, record("end", 20), again], {})], [5, 5])
        self.assertEqual([one.asked for one in judge.sections_of([again], {})], [0])

    def test_finds_what_is_shown_beyond_the_limit(self):
        for name, states, wanted in SHOWN:
            with self.subTest(name):
                self.assertEqual(len(judge.shown_overlaps([Shown(*state) for state in states], 2)), wanted)

    def test_finds_who_is_never_served(self):
        waiters = [Waiter("a", 10, 20), Waiter("b", 10, FOREVER), Waiter("c", 10, FOREVER)]
        self.assertEqual(judge.never_served(waiters, {"c": 30}), ["never served: b asked at 0.000 s"])


if __name__ == "__main__":
    unittest.main()
