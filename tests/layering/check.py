#!/usr/bin/env python3
"""Holds the sources against the rules that a compiler does not check; prints file:line for each breach.

Which folder may include which (docs/architecture.md), which libraries only some folders know, clocks only in io/, no
braces, lambda or ?: in a statement with co_await (g++ 12 destroys temporaries twice), no kind's name outside plugins/,
file lengths, JSON only behind its forward header, TLS and HTTP in at most three files.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder: the project folders that it may include
MAY_INCLUDE = {
    "core/base": {"base"},
    "core/kube": {"base", "kube"},
    "core/runtime": {"base", "kube", "runtime"},
    "core/io": {"base", "kube", "runtime", "io"},
    "core/host": {"base", "kube", "runtime", "io", "host"},
    "core/operator": {"base", "kube", "runtime", "io", "host", "operator"},
    "kondctl": {"base", "kube", "runtime", "io", "host", "kondctl", "actions"},
    "plugins": {"semaphore", "barrier", "lease", "gate"},
}
PURE = ("core/base/", "core/kube/", "core/runtime/", "plugins/", "kondctl/claim_", "kondctl/hold_machine", "kondctl/run_machine")
IMPURE_HEADERS = re.compile(r"<(boost/asio|boost/beast|boost/dll|openssl/|spdlog/|fstream|thread|mutex|filesystem|unistd\.h|sys/)")
CLOCK = re.compile(r"_clock::now\(|clock_gettime\(|\btime\(nullptr\)|gettimeofday\(")
KINDS = re.compile(r"semaphore|permit|barrier|arrival|leaserequest|\bgates?\b", re.I)
KIND_WORDS_ALLOWED = re.compile(r"permitted|permits? (?:the|it|us)\b|permission", re.I)
CO_AWAIT_BAD = re.compile(r"co_await[^;]*[{?]|[{?][^;{}]*co_await|\[[^\]]*\]\s*\(.*co_await")
HEADER_STOP, SOURCE_STOP, TEST_STOP = 200, 400, 500


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [p for p in out.stdout.splitlines() if re.search(r"\.(cpp|hpp|h|c)$", p) and (ROOT / p).is_file()]


def folder_of(path):
    return max((f for f in MAY_INCLUDE if path.startswith(f + "/")), key=len, default=None)


def breaches_of(path, lines):
    folder = folder_of(path)
    pure = path.startswith(PURE)
    in_core = path.startswith(("core/", "kondctl/"))
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0]
        include = re.match(r'\s*#include\s+["<]([^">]+)[">]', line)
        if include and folder:
            name = include.group(1)
            top = name.split("/")[0]
            if '"' in line and "/" in name and top not in MAY_INCLUDE[folder]:
                yield number, f"{folder} must not include {name}"
            if pure and IMPURE_HEADERS.search(line):
                yield number, f"a pure folder must not include {name}"
            if path.endswith((".hpp", ".h")) and name == "nlohmann/json.hpp":
                yield number, "headers include nlohmann/json_fwd.hpp only"
        if (pure or (in_core and not path.startswith("core/io/"))) and CLOCK.search(code):
            yield number, "clocks are read in core/io only"
        if in_core and KINDS.search(KIND_WORDS_ALLOWED.sub("", line)) and not re.search(r"std::(counting_|binary_)?(semaphore|barrier)", line):
            yield number, "a kind's name outside of plugins/"
        if "co_await" in code and CO_AWAIT_BAD.search(re.sub(r"^\s*(\}\s*)?(else\s+)?(if|while|for)\s*\(", "", code).rstrip().removesuffix("{")):
            yield number, "a statement with co_await must contain no braces, lambda or ?:"
    stop = TEST_STOP if path.startswith("tests/") else HEADER_STOP if path.endswith((".hpp", ".h")) else SOURCE_STOP
    if len(lines) > stop and not (lines and lines[0].startswith("// Longer than its stop:")):
        yield len(lines), f"{len(lines)} lines; the stop is {stop}: find the seam, or say at the top why not"


def main():
    found, network_files = 0, []
    for path in tracked():
        text = (ROOT / path).read_text(encoding="utf-8")
        lines = text.splitlines()
        if path.endswith(".cpp") and not path.startswith("tests/") and re.search(r"#include <(boost/beast|boost/asio/ssl|boost/asio/impl/src|openssl/)", text):
            network_files.append(path)
        for number, what in breaches_of(path, lines):
            print(f"{path}:{number}: {what}")
            found += 1
    if len(network_files) > 3:
        print("HTTP or TLS in more than three .cpp files: " + ", ".join(network_files))
        found += 1
    print(f"layering: {found} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
