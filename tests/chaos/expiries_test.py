#!/usr/bin/env python3
"""Expiries that are early or late are found, and put down to what happened meanwhile."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import expiries  # noqa: E402
from expiries import BEHIND, COLD, GAP, QUIET, SECOND, Expiry, Incident  # noqa: E402


class Event:
    def __init__(self, ns, phase, renewed="", uid="u", ttl=10, gone=False):
        self.ns, self.phase, self.renewed, self.uid, self.name, self.ttl, self.gone = ns * SECOND, phase, renewed, uid, uid, ttl, gone


# name, events, incidents, (when, late in s) of each expiry
CASES = [
    ("in time", [Event(0, "Pending"), Event(1, "Granted"), Event(11, "Expired")], [], [(QUIET, 0)]),
    ("a renewal counts anew", [Event(1, "Granted"), Event(5, "Granted", "x"), Event(16, "Expired", "x")], [], [(QUIET, 1)]),
    ("another change does not", [Event(1, "Granted"), Event(5, "Granted"), Event(11, "Expired")], [], [(QUIET, 0)]),
    ("a release is no expiry", [Event(1, "Granted"), Event(5, "Granted", gone=True)], [], []),
    ("due while nobody led", [Event(1, "Granted"), Event(16, "Expired")], [Incident(9 * SECOND, 15 * SECOND)], [(GAP, 1)]),
    ("due just after the takeover", [Event(1, "Granted"), Event(12, "Expired")], [Incident(2 * SECOND, 10 * SECOND)], [(BEHIND, 1)]),
    ("due after the takeover", [Event(1, "Granted"), Event(11, "Expired")], [Incident(2 * SECOND, 9 * SECOND)], [(QUIET, 0)]),
    ("freed just before the leader died", [Event(1, "Granted"), Event(11, "Expired")], [Incident(11 * SECOND, 19 * SECOND)], [(QUIET, 0)]),
    ("freed before it was noticed that somebody leads",
     [Event(1, "Granted"), Event(1, "Granted", uid="v"), Event(13, "Expired"), Event(14, "Expired", uid="v")],
     [Incident(9 * SECOND, 15 * SECOND)], [(GAP, 0), (GAP, 1)]),
    ("taken over by one that had just started", [Event(1, "Granted"), Event(14, "Expired")],
     [Incident(6 * SECOND, 7 * SECOND, since=4 * SECOND)], [(COLD, 3)]),
    ("a cold start meanwhile", [Event(1, "Granted"), Event(15, "Expired")], [Incident(2 * SECOND, 4 * SECOND, True)], [(COLD, 4)]),
    ("a cold start before it", [Event(5, "Granted"), Event(15, "Expired")], [Incident(2 * SECOND, 4 * SECOND, True)], [(QUIET, 0)]),
]


class Expiries(unittest.TestCase):
    def test_are_put_down_to_what_happened(self):
        for name, events, incidents, wanted in CASES:
            with self.subTest(name):
                found = expiries.expiries(events, lambda ttl: ttl * SECOND, incidents)
                self.assertEqual([(one.when, one.late / SECOND) for one in found], wanted)

    def test_are_early_before_the_holders_own_deadline(self):
        one = Expiry("a", 2 * SECOND, 10 * SECOND, 11 * SECOND)
        self.assertEqual(expiries.early([one], {"a": 1 * SECOND}), [])
        self.assertEqual(len(expiries.early([one], {"a": 1 * SECOND + 1})), 1)

    def test_of_one_takeover_are_a_crowd(self):
        def freed_at(due, when=GAP):
            return Expiry("a", 0, 0, due, when, due)
        self.assertEqual(expiries.crowd([]), 0)
        self.assertEqual(expiries.crowd([freed_at(1), freed_at(2), freed_at(2), freed_at(2, QUIET)]), 2)

    def test_are_late(self):
        def late(milliseconds, when, ttl=10):
            return Expiry("a", 0, ttl * SECOND, milliseconds * SECOND // 1000, when, 0)
        self.assertEqual(expiries.too_late([late(200, QUIET)] * 1000 + [late(900, QUIET)]), [])
        self.assertEqual(len(expiries.too_late([late(200, QUIET)] * 100 + [late(900, QUIET)])), 1)
        for when in (GAP, BEHIND):
            self.assertEqual(len(expiries.too_late([late(251, when)])), 1)
            self.assertEqual(expiries.too_late([late(349, when)], bare=SECOND // 10), [])
            self.assertEqual(len(expiries.too_late([late(351, when)], bare=SECOND // 10)), 1)
        self.assertEqual(len(expiries.too_late([late(251, QUIET)], bare=SECOND // 10)), 1)
        self.assertEqual(expiries.too_late([late(10_000, COLD)]), [])
        self.assertEqual(len(expiries.too_late([late(10_300, COLD)])), 1)


if __name__ == "__main__":
    unittest.main()
