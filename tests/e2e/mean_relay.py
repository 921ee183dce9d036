#!/usr/bin/python3
"""A TCP relay that treats its connections as the worst links do.

    mean_relay.py TARGET LISTEN

Commands on standard input, one a line; each is answered by the same line:
    up            passes everything, as at the start
    cut           resets what there is, refuses what comes
    hole          accepts and keeps connections, passes nothing: a half-open link
    slow RATE     passes RATE bytes a second, each way
    short BYTES   resets every connection after BYTES in all
    flap MS       up, but resets what there is every so many milliseconds
It ends when standard input does.
"""
import asyncio
import socket
import struct
import sys

CHUNK = 4096


class Relay:
    def __init__(self, target):
        self.target = target
        self.mode, self.value = "up", 0
        self.writers = set()
        self.changed = asyncio.Event()

    def reset(self, writer):
        sock = writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def reset_all(self):
        for writer in list(self.writers):
            self.reset(writer)

    def set(self, mode, value):
        self.mode, self.value = mode, value
        if mode == "cut":
            self.reset_all()
        self.changed.set()
        self.changed = asyncio.Event()

    async def flap(self):
        while True:
            if self.mode != "flap":
                await self.changed.wait()
                continue
            await asyncio.sleep(self.value / 1000)
            if self.mode == "flap":
                self.reset_all()

    async def pump(self, reader, writer, passed):
        while True:
            data = await reader.read(CHUNK)
            if not data:
                return
            while self.mode == "hole":
                await self.changed.wait()
            if self.mode == "short":
                data = data[: max(0, self.value - passed[0])]
            writer.write(data)
            passed[0] += len(data)
            if self.mode == "slow":
                await asyncio.sleep(len(data) / self.value)
            await writer.drain()
            if self.mode == "short" and passed[0] >= self.value:
                await asyncio.sleep(0.02)  # what was passed arrives before the reset
                return

    async def serve(self, reader, writer):
        if self.mode == "cut":
            return self.reset(writer)
        try:
            back, there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return self.reset(writer)
        ends, passed = {writer, there}, [0]
        self.writers |= ends
        halves = [asyncio.ensure_future(self.pump(reader, there, passed)),
                  asyncio.ensure_future(self.pump(back, writer, passed))]
        await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        for half in halves:
            half.cancel()
        await asyncio.gather(*halves, return_exceptions=True)
        self.writers -= ends
        for end in ends:
            self.reset(end)


async def main(target, port):
    relay = Relay(target)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", port)
    flapping = asyncio.ensure_future(relay.flap())
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            break
        words = line.split()
        relay.set(words[0], int(words[1]) if len(words) > 1 else 0)
        print(line, end="", flush=True)
    flapping.cancel()
    relay.reset_all()
    server.close()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
