#!/usr/bin/env python3
"""The schedule is the seed's, and every kind of fault comes in a short run."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from schedule import DECK, MEAN_GAP, schedule  # noqa: E402


class Schedule(unittest.TestCase):
    def test_is_the_seeds(self):
        self.assertEqual(schedule("7", 300), schedule("7", 300))
        self.assertNotEqual(schedule("7", 300), schedule("8", 300))

    def test_goes_on_where_a_shorter_one_ends(self):
        self.assertEqual(schedule("7", 300), schedule("7", 900)[:len(schedule("7", 300))])

    def test_has_every_fault_in_a_short_run(self):
        for seed in range(50):
            self.assertEqual({planned.fault for planned in schedule(str(seed), 120)}, set(DECK), seed)

    def test_is_in_order_and_within_its_time(self):
        plan = schedule("7", 500)
        self.assertEqual(plan, sorted(plan, key=lambda planned: planned.at))
        self.assertLess(plan[-1].at, 500)
        self.assertAlmostEqual(len(plan), 500 / MEAN_GAP, delta=25)


if __name__ == "__main__":
    unittest.main()
