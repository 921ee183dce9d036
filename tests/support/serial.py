#!/usr/bin/python3
"""A serial line between two pseudo-terminals, as bad as real ones.

    serial.py BAUD BREAK NOISE SEED FOLDER

Puts the names of the two ends into FOLDER/a and FOLDER/b, then passes bytes at BAUD (8N1: ten bits a
byte) until its standard input ends. After about BREAK bytes, both ways together, the line is broken
for a while: 100 to 300 ms of what is sent then are lost, and garbage comes instead. Between breaks
about one byte of NOISE is changed. 0: never. At the end it tells what it did, as JSON.
"""

import json
import os
import random
import select
import sys
import time
import tty

TICK = 0.01


class Line:
    def __init__(self, baud, every, noise, seed):
        self.rate, self.every, self.noise = baud / 10, every, noise
        self.random = random.Random(seed)
        self.masters, self.slaves = zip(*(os.openpty() for _ in range(2)))
        for master in self.masters:
            tty.setraw(master)
            os.set_blocking(master, False)
        self.out = [b"", b""]  # to each end, until it takes them
        self.passed = self.breaks = self.changed = 0
        self.broken_until = 0.0
        self.next_break = self.break_after(0)

    def break_after(self, passed):
        return passed + self.random.randint(self.every // 2, 3 * self.every // 2) if self.every else None

    def garbage(self, most):
        return bytes(self.random.randrange(256) for _ in range(self.random.randrange(most + 1)))

    def spoil(self, data):
        if not self.noise:
            return data
        spoilt = bytearray(data)
        for i in range(len(spoilt)):
            if self.random.randrange(self.noise) == 0:
                spoilt[i] ^= 1 << self.random.randrange(8)
                self.changed += 1
        return bytes(spoilt)

    def carry(self, end, size, now):
        try:
            data = os.read(self.masters[end], size)
        except BlockingIOError:
            return
        self.passed += len(data)
        if self.next_break is not None and self.passed >= self.next_break and now >= self.broken_until:
            self.breaks += 1
            self.broken_until = now + self.random.uniform(0.1, 0.3)
            self.next_break = self.break_after(self.passed)
            for other in range(2):
                self.out[other] += self.garbage(40)
        if now >= self.broken_until:
            self.out[1 - end] += self.spoil(data)

    def run(self):
        last, due = time.monotonic(), [0.0, 0.0]
        while not select.select([sys.stdin], [], [], TICK)[0]:
            now = time.monotonic()
            for end in range(2):
                # not more than a moment's worth: what nobody sent leaves no room behind
                due[end] = min(due[end] + (now - last) * self.rate, 0.1 * self.rate)
                if due[end] >= 1:
                    before = self.passed
                    self.carry(end, int(due[end]), now)
                    due[end] -= self.passed - before
                try:
                    self.out[end] = self.out[end][os.write(self.masters[end], self.out[end]):]
                except BlockingIOError:
                    pass
            last = now
        print(json.dumps({"passed": self.passed, "breaks": self.breaks, "changed": self.changed}))


def main():
    baud, every, noise, seed = map(int, sys.argv[1:5])
    line = Line(baud, every, noise, seed)
    for name, slave in zip("ab", line.slaves):
        path = os.path.join(sys.argv[5], name)
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(os.ttyname(slave))
        os.rename(path + ".new", path)
    line.run()


main()
