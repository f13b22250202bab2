#!/usr/bin/env python3
"""Holds the linker's maps of the faulty programs against the control's: each must lack exactly the member of an archive
that its fault replaces, and have no other.

check_link.py FOLDER NAME:MEMBER...   FOLDER has sim_fault_NAME.map of each and sim_fault_none.map
"""
import pathlib
import re
import sys

MEMBER = re.compile(r"^\S*?([^/\s]+\.a\([^)]+\))", re.M)


def members(path):
    """Of the map's first part, "Archive member included to satisfy reference by file (symbol)"."""
    text = path.read_text(errors="replace")
    begin = text.index("Archive member included")
    end = min((at for at in (text.find(word, begin) for word in ("\nDiscarded input", "\nMemory Config")) if at > 0), default=len(text))
    return set(MEMBER.findall(text[begin:end]))


def main():
    folder = pathlib.Path(sys.argv[1])
    control = members(folder / "sim_fault_none.map")
    wrong = []
    for name, member in (one.split(":") for one in sys.argv[2:]):
        taken = members(folder / f"sim_fault_{name}.map")
        if control - taken != {member} or taken - control:
            wrong.append(f"{name}: is to replace {member}, and lacks {sorted(control - taken)}, has besides {sorted(taken - control)}")
    print("\n".join(wrong) or f"{len(sys.argv) - 2} programs, each without the one member that it replaces")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
