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
    ("frame_append/100", "ns_each", 200, "at_most"),
    ("frame_append/400", "ns_each", 200, "at_most"),
    ("frame_append/1024", "ns_each", 200, "at_most"),
    ("implied_vol_warm_0.1_percent/AVX2", "ns_each", 60, "at_most"),
    ("svi_fit/warm_40_strikes", "ns_each", 50_000, "at_most"),
    ("scenario_grid/AVX3/1000", "ns_each", 250, "at_most"),  # an option: 35 scenarios of 1,000 in 250 us
    ("gimbal_snapshot_2000", "gb_per_s", 1.0, "at_least"),
]
# figure, what it compares, by how many the first is multiplied, bar, sense; left out where a row is missing.
RATIOS = [
    ("mixed, 32 connections / 1", "receive_beside/mixed/32", "receive_beside/mixed/1", 1, 1.1, "at_most"),
    ("io_uring, 32 connections / 1", "receive_beside/io_uring/32", "receive_beside/io_uring/1", 1, 1.1, "at_most"),
    ("portfolio tick, 16,000 / 10 options", "portfolio_tick/16000", "portfolio_tick/10", 1, 1.1, "at_most"),
    ("QuantLib / full, AVX-512", "pricing_full/quantlib", "pricing_full/AVX3", 1, 20, "at_least"),
    ("QuantLib / full, AVX2", "pricing_full/quantlib", "pricing_full/AVX2", 1, 13, "at_least"),
    ("QuantLib / tick, AVX-512", "pricing_full/quantlib", "pricing_tick/AVX3", 1, 40, "at_least"),
    ("QuantLib / tick, AVX2", "pricing_full/quantlib", "pricing_tick/AVX2", 1, 28, "at_least"),
    ("QuantLib / update, 1,000 options", "pricing_full/quantlib", "portfolio_tick/1000", 1000, 300, "at_least"),
    ("QuantLib / warm vol, 2 %, AVX2", "implied_vol_warm_2_percent/quantlib", "implied_vol_warm_2_percent/AVX2", 1, 20,
     "at_least"),
]


def figures(by_name):
    """(figure, value, bar, sense) of every bar whose rows were measured"""
    for name, field, bar, sense in BARS:
        row = by_name.get(name)
        if row is not None and field in row:
            yield name, row[field], bar, sense
    for name, above, below, times, bar, sense in RATIOS:
        if all(by_name.get(row, {}).get("ns_each") for row in (above, below)):
            yield name, times * by_name[above]["ns_each"] / by_name[below]["ns_each"], bar, sense


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
    for name, value, bar, sense in figures(by_name):
        met = value <= bar if sense == "at_most" else value >= bar
        missed += not met
        bars.append({"figure": name, "value": round(value, 3), sense: bar, "met": met})
        sign = "<=" if sense == "at_most" else ">="
        print(f"  {name:<36} {value:7.2f}  bar {sign} {bar:.2f}  {'met' if met else 'NOT MET'}")
    joined["micro"] = micro
    joined["micro_bars"] = bars
    with open(arguments[0], "w", encoding="utf-8") as file:
        json.dump(joined, file, indent=1)
        file.write("\n")
    return 1 if check and missed else 0


sys.exit(main())
