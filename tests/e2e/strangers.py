#!/usr/bin/python3
"""Everybody who has no business at a hub's port, all at once, for some seconds.

    strangers.py PORT SECONDS SEED

Silent connections, garbage, a ZMTP greeting that claims 4 GiB, clients without encryption, with
another server key and with a key that no roster names. Prints how many connections there were.
"""
import random
import socket
import sys
import threading
import time

import zmq

PORT, SECONDS, SEED = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
END = time.monotonic() + SECONDS
GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x01"
made = 0


def over():
    return time.monotonic() >= END


def dial():
    global made
    s = socket.create_connection(("127.0.0.1", PORT), 2)
    made += 1
    return s


def silent(_):
    held = []
    while not over():
        try:
            held.append(dial())
            time.sleep(0.002 if len(held) < 300 else 0.2)
        except OSError:
            time.sleep(0.05)


def garbage(rng):
    while not over():
        try:
            with dial() as s:
                s.sendall(rng.randbytes(rng.choice([1, 10, 64, 300, 5000])))
        except OSError:
            pass
        time.sleep(0.005)


def huge(rng):
    while not over():
        mechanism = rng.choice([b"CURVE", b"NULL", b"PLAIN"]).ljust(20, b"\0")
        try:
            with dial() as s:
                s.sendall(GREETING + mechanism + b"\0" * 32)
                s.sendall(rng.choice([b"\x06", b"\x02", b"\x03"]) + (1 << 32).to_bytes(8, "big"))
                for _ in range(64):
                    s.sendall(b"x" * 65536)
        except OSError:
            pass
        time.sleep(0.005)


def client(curve):
    context = zmq.Context()
    while not over():
        s = context.socket(zmq.DEALER)
        s.linger = 0
        if curve:
            s.curve_publickey, s.curve_secretkey = zmq.curve_keypair()
            s.curve_serverkey = zmq.curve_keypair()[0]
        s.connect(f"tcp://127.0.0.1:{PORT}")
        s.send(b"\x93\x01\x02\x03")
        time.sleep(0.05)
        s.close()
    context.destroy(0)


tasks = [(silent, None), (garbage, random.Random(SEED)), (huge, random.Random(SEED + 1)),
         (client, False), (client, True)]
threads = [threading.Thread(target=f, args=(a,), daemon=True) for f, a in tasks]
for t in threads:
    t.start()
for t in threads:
    t.join(SECONDS + 5)
print(made)
