#!/usr/bin/python3
"""A TCP relay that keeps what passes it.

    wiretap.py PORT TO_PORT FILE

Listens on loopback, relays each connection to TO_PORT, and appends all bytes of both directions to
FILE as they pass. Runs until it is killed.
"""
import socket
import sys
import threading

PORT, TO_PORT, FILE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
out = open(FILE, "ab", buffering=0)


def relay(source, target):
    try:
        while data := source.recv(65536):
            out.write(data)
            target.sendall(data)
    except OSError:
        pass
    for s in (source, target):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


server = socket.create_server(("127.0.0.1", PORT))
while True:
    here = server.accept()[0]
    try:
        there = socket.create_connection(("127.0.0.1", TO_PORT), 5)
    except OSError:
        here.close()
        continue
    threading.Thread(target=relay, args=(here, there), daemon=True).start()
    threading.Thread(target=relay, args=(there, here), daemon=True).start()
