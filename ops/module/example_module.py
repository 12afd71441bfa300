#!/usr/bin/env python3
"""An example risk module: no growth in an instrument while its spread is wide.

    example_module.py DIRECTORY INSTRUMENT SPREAD_BPS_MAX TTL_MS

Python 3.9 and its standard library only; the same files as gimbal_module.h describes. Until a
ticker came it vetoes growth. Exit codes: 0 stopped by SIGTERM or SIGINT, 1 failed, 2 usage.
"""
import fcntl
import mmap
import os
import signal
import struct
import sys
import time
import zlib

EVENTS_MAGIC = 0x31545645424D47
ENVELOPE_MAGIC = 0x31564E45424D47
SLOTS, NAMES_MAX, ROWS_MAX, ABI = 16384, 16384, 1024, 1
NAMES_AT = 4096
RING_AT = NAMES_AT + 64 * NAMES_MAX
EVENTS_BYTES = RING_AT + 64 * SLOTS
ENVELOPE_BYTES = 128 + 24 * ROWS_MAX
NO_OPINION = (1 << 63) - 1
VETO_GROWTH, VETO_BUY, VETO_SELL = 1, 2, 4
TICKER, TICKER_PARTS = 5, 3


class Restarted(Exception):
    """The bot started anew, or events were lost: forget what was known."""


class Module:
    def __init__(self, directory):
        with open(os.path.join(directory, "events"), "rb") as file:
            if os.fstat(file.fileno()).st_size != EVENTS_BYTES:
                raise ValueError("events: of another version")
            self.events = mmap.mmap(file.fileno(), EVENTS_BYTES, prot=mmap.PROT_READ)
        # Closing any descriptor of this file would give the lock back: it stays open.
        self.file = open(os.path.join(directory, "envelope"), "r+b", buffering=0)
        fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.page = mmap.mmap(self.file.fileno(), ENVELOPE_BYTES)
        # 64-bit words are read and written whole this way; struct goes byte by byte.
        self.words = memoryview(self.events).cast("Q")
        self.page_words = memoryview(self.page).cast("Q")
        if self.words[0] != EVENTS_MAGIC or struct.unpack_from("<I", self.events, 8)[0] != ABI:
            raise ValueError("events: of another version, or the bot is starting")
        self.lost = 0
        self.follow()

    def follow(self):
        self.epoch = struct.unpack_from("<I", self.events, 20)[0]
        self.cursor, self.seq = self.words[17], 0

    def next(self):
        """The next event as (kind, instrument, part, payload), None when there is none now."""
        if self.words[0] != EVENTS_MAGIC:
            return None
        if struct.unpack_from("<I", self.events, 20)[0] != self.epoch:
            self.follow()
            raise Restarted
        written = self.words[17]
        if written == self.cursor:
            return None
        if written - self.cursor <= SLOTS:
            at = RING_AT + 64 * (self.cursor % SLOTS)
            event = self.events[at:at + 64]
            if self.words[16] - self.cursor <= SLOTS:
                self.cursor += 1
                head = struct.unpack_from("<Q", event)[0]
                self.seq = head & ((1 << 48) - 1)
                instrument, _, part = struct.unpack_from("<HBB", event, 28)
                return head >> 48 & 0xFF, instrument, part, event[32:]
        self.lost += written - self.cursor
        self.cursor = written
        raise Restarted

    def find(self, name):
        wanted = name.encode()
        for number in range(min(self.words[3], NAMES_MAX)):
            at = NAMES_AT + 64 * number
            if self.events[at:at + 48].rstrip(b"\0") == wanted:
                return number
        return None

    def publish(self, rows, ttl_ns, others=(0, NO_OPINION, NO_OPINION)):
        """rows: {instrument: (veto, buy_max_nano, sell_max_nano)}."""
        change = self.page_words[2] | 1
        self.page_words[2] = change
        body = struct.pack("<IIQqqQ", self.epoch, len(rows), self.seq,
                           time.clock_gettime_ns(time.CLOCK_MONOTONIC), ttl_ns, self.lost)
        body += struct.pack("<HB5xqq", 0xFFFF, *others) + bytes(40)
        for instrument in sorted(rows):
            body += struct.pack("<HB5xqq", instrument, *rows[instrument])
        self.page[0:16] = struct.pack("<QII", ENVELOPE_MAGIC, ABI, zlib.crc32(body))
        self.page[24:24 + len(body)] = body
        self.page_words[2] = change + 1


def spread_bps(ticker):
    bid, ask = ticker[4], ticker[5]
    return (ask - bid) * 1e4 / ask if 0 < bid <= ask else float("inf")


def run(directory, name, bps_max, ttl_ns, stopped):
    module = Module(directory)
    instrument, bps, parts, due = None, float("inf"), b"", 0
    while not stopped:
        try:
            while (event := module.next()) is not None:
                kind, of, part, payload = event
                if kind != TICKER or of != instrument:
                    continue
                parts = payload if part & 15 == 1 else parts + payload
                if part & 15 == TICKER_PARTS and len(parts) == 32 * TICKER_PARTS:
                    bps = spread_bps(struct.unpack("<12q", parts))
        except Restarted:
            instrument, bps, parts = None, float("inf"), b""
        if instrument is None:
            instrument = module.find(name)
        now = time.monotonic_ns()
        if now >= due:
            veto = VETO_GROWTH if bps > bps_max else 0
            row = (veto, NO_OPINION, NO_OPINION)
            if instrument is None:
                module.publish({}, ttl_ns, row)
            else:
                module.publish({instrument: row}, ttl_ns)
            due = now + ttl_ns // 5
        time.sleep(0.001)


def main(arguments):
    if len(arguments) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    try:
        run(arguments[1], arguments[2], float(arguments[3]), int(arguments[4]) * 10**6, stopped)
    except (OSError, ValueError) as error:
        print(f"{arguments[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
