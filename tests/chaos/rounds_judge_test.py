#!/usr/bin/env python3
"""The judge of rounds finds each violation that is planted here, and nothing where there is none."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rounds_judge  # noqa: E402

WORKERS = ["a", "b"]


def line(what, ns, who, number=1, **facts):
    return {"what": what, "ns": ns, "who": who, "round": number, **facts}


# name, records, what is found
PASSAGES = [
    ("after all have arrived", [line("arrives", 1, "a"), line("arrives", 2, "b"), line("passed", 3, "a"), line("passed", 4, "b")], []),
    ("before the last has arrived", [line("arrives", 1, "a"), line("passed", 2, "a"), line("arrives", 3, "b"), line("passed", 4, "b")],
     ["round 1 passed by a at 0.000 s without b"]),
    ("one never arrives", [line("arrives", 1, "a"), line("passed", 2, "a")], ["round 1 passed by a at 0.000 s without b"]),
    ("one who comes twice is not two", [line("arrives", 1, "a"), line("arrives", 2, "a"), line("passed", 3, "a")],
     ["round 1 passed by a at 0.000 s without b"]),
    ("an arrival at another round is none at this", [line("arrives", 1, "a", 2), line("arrives", 2, "b"), line("passed", 3, "a", 2)],
     ["round 2 passed by a at 0.000 s without b"]),
    ("who comes again later has come", [line("arrives", 1, "a"), line("arrives", 2, "b"), line("passed", 3, "a"), line("arrives", 4, "b"),
                                        line("passed", 5, "b")], []),
    ("lines of several processes are not in the order of their times",
     [line("passed", 3, "a"), line("arrives", 2, "b"), line("arrives", 1, "a")], []),
]


class RoundsJudge(unittest.TestCase):
    def test_finds_who_passes_early(self):
        for name, records, wanted in PASSAGES:
            with self.subTest(name):
                self.assertEqual(rounds_judge.early_passages(records, WORKERS), wanted)

    def test_finds_who_is_refused(self):
        records = [line("arrives", 1, "a"), line("refused", 2, "a", why="exit 5: failed")]
        self.assertEqual(rounds_judge.refusals(records), ["round 1 refused to a: exit 5: failed"])

    def test_counts_rounds_that_all_have_passed(self):
        records = [line("arrives", 1, "a"), line("arrives", 5, "b"), line("passed", 6, "a"), line("passed", 9, "b"), line("arrives", 10, "a", 2)]
        self.assertEqual(rounds_judge.rounds_of(records, WORKERS), (1, 4))

    def test_leaves_out_of_the_longest_what_was_asked_for_again(self):
        records = [line("arrives", 1, "a"), line("arrives", 2, "b"), line("arrives", 8, "b"), line("passed", 3, "a"), line("passed", 9, "b")]
        self.assertEqual(rounds_judge.rounds_of(records, WORKERS), (1, 0))


if __name__ == "__main__":
    unittest.main()
