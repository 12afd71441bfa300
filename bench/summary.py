#!/usr/bin/env python3
"""Joins the outputs of one bench run into one JSON file and prints the micro table with its bars.

usage: summary.py BENCH_JSON [--load LOAD_JSON] [--check] [MICRO_JSON ...]

BENCH_JSON is what tick_to_order wrote; what throughput wrote is added to it as "load", the Google
Benchmark files as "micro".
Exit 1 with --check when a figure misses its bar, 2 when a file cannot be read.
"""
import json
import sys

# benchmark, field, bar, "at_most" or "at_least": what one operation may cost on this thread.
BARS = [
    ("flat_top/100", "ns_each", 40, "at_most"),
    ("flat_top/5000", "ns_each", 40, "at_most"),
    ("gate_approve", "ns_each", 300, "at_most"),
    ("journal_append", "ns_each", 60, "at_most"),
    ("implied_vol_warm_0.1_percent/AVX2", "ns_each", 60, "at_most"),
    ("svi_fit/warm_40_strikes", "ns_each", 50_000, "at_most"),
    ("gimbal_snapshot_2000", "gb_per_s", 1.0, "at_least"),
]


def rows(path):
    with open(path, encoding="utf-8") as file:
        for entry in json.load(file)["benchmarks"]:
            if "error_message" in entry:
                yield {"name": entry["name"], "error": entry["error_message"]}
                continue
            scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[entry["time_unit"]]
            row = {"name": entry["name"], "ns": round(entry["cpu_time"] * scale, 2)}
            if "items_per_second" in entry:
                row["ns_each"] = round(1e9 / entry["items_per_second"], 2)
            else:
                row["ns_each"] = row["ns"]
            if "bytes_per_second" in entry:
                row["gb_per_s"] = round(entry["bytes_per_second"] / 1e9, 3)
            yield row


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    check = "--check" in sys.argv
    load = None
    if "--load" in arguments:
        at = arguments.index("--load")
        load = arguments[at + 1] if at + 1 < len(arguments) else ""
        del arguments[at : at + 2]
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            joined = json.load(file)
        if load is not None:
            with open(load, encoding="utf-8") as file:
                joined["load"] = json.load(file)
        micro = [row for path in arguments[1:] for row in rows(path)]
    except (OSError, ValueError, KeyError) as problem:
        print(f"summary.py: {problem}", file=sys.stderr)
        return 2
    print(f"\n  {'inside the process':<34} {'ns':>10} {'GB/s':>8}")
    for row in micro:
        if "error" in row:
            print(f"  {row['name']:<34} FAILED: {row['error']}")
            continue
        speed = f"{row['gb_per_s']:8.2f}" if "gb_per_s" in row else ""
        print(f"  {row['name']:<34} {row['ns_each']:10.1f} {speed}")
    missed = sum("error" in row for row in micro)
    bars = []
    print()
    by_name = {row["name"]: row for row in micro}
    for name, field, bar, sense in BARS:
        row = by_name.get(name)
        if row is None or field not in row:
            continue
        met = row[field] <= bar if sense == "at_most" else row[field] >= bar
        missed += not met
        bars.append({"figure": name, "value": row[field], sense: bar, "met": met})
        sign = "<=" if sense == "at_most" else ">="
        print(f"  {name:<28} {row[field]:7.2f}  bar {sign} {bar:.2f}  {'met' if met else 'NOT MET'}")
    joined["micro"] = micro
    joined["micro_bars"] = bars
    with open(arguments[0], "w", encoding="utf-8") as file:
        json.dump(joined, file, indent=1)
        file.write("\n")
    return 1 if check and missed else 0


sys.exit(main())
