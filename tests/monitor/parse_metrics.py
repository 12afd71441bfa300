#!/usr/bin/env python3
"""Reads a Prometheus text page (0.0.4) strictly; exit 1 with the line that breaks a rule.

Usage: parse_metrics.py PAGE [--names]
Rules: HELP and TYPE before the samples of a family, once each; samples of a family together; no
sample twice; counters end in _total and do not fall below zero; histogram buckets grow and end in
+Inf = count; names and labels are well formed; numbers are numbers. --names prints the families.
"""
import re
import sys

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(,|\Z)')


def fail(number, line, why):
    sys.exit(f"line {number}: {why}: {line!r}")


def labels_of(number, line, text):
    found, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            fail(number, line, "labels are not well formed")
        found.append((match.group(1), match.group(2)))
        at = match.end()
    if len({key for key, _ in found}) != len(found):
        fail(number, line, "a label twice")
    return found


def value_of(number, line, text):
    if text in ("NaN", "+Inf", "-Inf"):
        return float(text.replace("Inf", "inf"))
    if not re.match(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?\Z", text):
        fail(number, line, "not a number")
    return float(text)


def base_of(name, kind):
    if kind == "histogram":
        for tail in ("_bucket", "_sum", "_count"):
            if name.endswith(tail):
                return name[: -len(tail)]
    return name


def check_histogram(name, rows):
    series = {}
    for sample, labels, value in rows:
        key = tuple(pair for pair in labels if pair[0] != "le")
        entry = series.setdefault(key, {"buckets": []})
        if sample.endswith("_bucket"):
            entry["buckets"].append((dict(labels)["le"], value))
        else:
            entry[sample[len(name):]] = value
    for key, entry in series.items():
        buckets = entry["buckets"]
        bounds = [float(b.replace("Inf", "inf")) for b, _ in buckets]
        counts = [c for _, c in buckets]
        good = (
            bounds == sorted(bounds)
            and counts == sorted(counts)
            and bounds
            and bounds[-1] == float("inf")
            and counts[-1] == entry.get("_count")
            and "_sum" in entry
        )
        if not good:
            sys.exit(f"{name}{dict(key)}: buckets, sum and count disagree")


def parse(text):
    families, current, seen = {}, None, set()
    if not text.endswith("\n"):
        sys.exit("the page does not end with a newline")
    helped = None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            if not NAME.match(name) or name in families or len(line.split(" ", 3)) < 4:
                fail(number, line, "HELP is malformed or repeated")
            helped = name
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name != helped or kind not in ("counter", "gauge", "histogram"):
                fail(number, line, "TYPE does not follow its HELP")
            if kind == "counter" and not name.endswith("_total"):
                fail(number, line, "a counter without _total")
            current = name
            families[name] = (kind, [])
        else:
            match = SAMPLE.match(line)
            if not match or current is None:
                fail(number, line, "neither a comment nor a sample")
            kind, rows = families[current]
            if base_of(match.group(1), kind) != current:
                fail(number, line, f"a sample outside of its family {current}")
            labels = labels_of(number, line, match.group(3) or "")
            if (match.group(1), tuple(labels)) in seen:
                fail(number, line, "the same sample twice")
            seen.add((match.group(1), tuple(labels)))
            value = value_of(number, line, match.group(4))
            if kind in ("counter", "histogram") and not value >= 0:
                fail(number, line, "a count below zero")
            rows.append((match.group(1), labels, value))
    for name, (kind, rows) in families.items():
        if kind == "histogram":
            check_histogram(name, rows)
    return families


def main():
    with open(sys.argv[1], encoding="ascii") as page:
        families = parse(page.read())
    if "--names" in sys.argv[2:]:
        print("\n".join(families))
    else:
        print(f"{len(families)} families, {sum(len(r) for _, r in families.values())} samples")


if __name__ == "__main__":
    main()
