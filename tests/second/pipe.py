"""The end of a pipe that calls: SPEC 25."""

import hashlib
import hmac
import os
import select
import subprocess
import time

from nacl.bindings import (crypto_aead_chacha20poly1305_ietf_decrypt as aead_open,
                           crypto_aead_chacha20poly1305_ietf_encrypt as aead_seal,
                           crypto_scalarmult)
from nacl.exceptions import CryptoError

from wire import Malformed, digest, need, transport_key

CALL, ANSWER, AGAIN, DATA = 1, 2, 3, 4
BODY_MAX, PART_MAX, CALL_SIZE = 1041, 1024, 96
NAME = b"Noise_IK_25519_ChaChaPoly_BLAKE2b"


class LineEnded(Exception):
    pass


# --- packets: 25.2 ---------------------------------------------------------------------------

def stuff(data):
    out, rest = b"", data + b"\0"
    while rest:
        end = rest.index(0)
        if end >= 254:
            out, rest = out + b"\xff" + rest[:254], rest[254:]
            if rest == b"\0":
                break
        else:
            out, rest = out + bytes([end + 1]) + rest[:end], rest[end + 1:]
    return out


def unstuff(data):
    out, at = b"", 0
    while at < len(data):
        count = data[at] - 1
        need(at + count < len(data), "a block that is cut")
        out += data[at + 1:at + 1 + count]
        at += 1 + count
        if count < 254 and at < len(data):
            out += b"\0"
    return out


def check(plain):
    return digest("sidan/pipe", plain)[:4]


def packet_write(kind, body):
    plain = bytes([kind]) + body
    return b"\0" + stuff(plain + check(plain)) + b"\0"


def packet_read(coded):
    """Of what stands between two zeros."""
    plain = unstuff(coded)
    need(5 <= len(plain) <= 5 + BODY_MAX and plain[-4:] == check(plain[:-4]), "no packet")
    return plain[0], plain[1:-4]


# --- the handshake: 25.3 ---------------------------------------------------------------------

class Cipher:
    def __init__(self, key):
        self.key, self.n = key, 0

    def _nonce(self):
        self.n += 1
        return bytes(4) + (self.n - 1).to_bytes(8, "little")

    def seal(self, data, bound=b""):
        return aead_seal(data, bound, self._nonce(), self.key)

    def open(self, data, bound=b""):
        try:
            return aead_open(data, bound, self._nonce(), self.key)
        except CryptoError as error:
            raise Malformed("does not open") from error


class Handshake:
    """Of who calls where `peer` is given, else of who answers."""

    def __init__(self, prologue, secret, ephemeral, peer=None):
        self.secret, self.ephemeral, self.peer = secret, ephemeral, peer
        self.hash = self.chain = NAME.ljust(64, b"\0")
        self.cipher = self.remote = None
        self._mix_hash(prologue)
        self._mix_hash(peer or transport_key(secret))

    def _mix_hash(self, data):
        self.hash = hashlib.blake2b(self.hash + data).digest()

    def _derive(self, data):
        def mac(key, message):
            return hmac.new(key, message, hashlib.blake2b).digest()
        key = mac(self.chain, data)
        first = mac(key, b"\1")
        return first, mac(key, first + b"\2")

    def _mix_key(self, secret, key):
        self.chain, second = self._derive(crypto_scalarmult(secret, key))
        self.cipher = Cipher(second[:32])

    def _seal(self, data):
        sealed = self.cipher.seal(data, self.hash)
        self._mix_hash(sealed)
        return sealed

    def _open(self, sealed):
        data = self.cipher.open(sealed, self.hash)
        self._mix_hash(sealed)
        return data

    def call(self, payload=b""):
        own = transport_key(self.ephemeral)
        self._mix_hash(own)
        self._mix_key(self.ephemeral, self.peer)
        static = self._seal(transport_key(self.secret))
        self._mix_key(self.secret, self.peer)
        return own + static + self._seal(payload)

    def take_call(self, message):
        self.remote = message[:32]
        self._mix_hash(self.remote)
        self._mix_key(self.secret, self.remote)
        self.peer = self._open(message[32:80])
        self._mix_key(self.secret, self.peer)
        return self._open(message[80:])

    def answer(self, payload=b""):
        own = transport_key(self.ephemeral)
        self._mix_hash(own)
        self._mix_key(self.ephemeral, self.remote)
        self._mix_key(self.ephemeral, self.peer)
        return own + self._seal(payload)

    def take_answer(self, message):
        self._mix_hash(message[:32])
        self._mix_key(self.ephemeral, message[:32])
        self._mix_key(self.secret, message[:32])
        return self._open(message[32:])

    def split(self):
        """Who calls sends by the first, who answers by the second."""
        return [Cipher(key[:32]) for key in self._derive(b"")]


# --- a link over a command -------------------------------------------------------------------

class Pipe:
    """One session, over the input and output of a command; raises LineEnded when it is lost."""

    def __init__(self, command, township, server_key, secret, seconds):
        self.deadline = time.monotonic() + seconds
        self.process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.coming, self.frame, self.skipped = b"", b"", 0
        handshake = Handshake(b"sidan/pipe/1" + township, secret, os.urandom(32), server_key)
        self._put(CALL, handshake.call())
        kind, body = self._packet()
        if kind == AGAIN:
            raise LineEnded("another device is at the other end")
        if kind != ANSWER or handshake.take_answer(body) != b"\0":
            raise LineEnded("not let in")
        self.sending, self.receiving = handshake.split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)

    def _put(self, kind, body):
        self.process.stdin.write(packet_write(kind, body))
        self.process.stdin.flush()

    def _packet(self, seconds=None):
        """The next one; None when `seconds` pass without a byte."""
        out = self.process.stdout.fileno()
        while True:
            while b"\0" in self.coming:
                coded, self.coming = self.coming.split(b"\0", 1)
                try:
                    if coded:
                        return packet_read(coded)
                except Malformed:
                    self.skipped += 1  # before a session: a banner
            left = self.deadline - time.monotonic()
            wait = left if seconds is None else min(left, seconds)
            if left <= 0 or not select.select([out], [], [], max(wait, 0))[0]:
                if seconds is None or left <= 0:
                    raise LineEnded("no answer in time")
                return None
            data = os.read(out, 4096)
            if not data:
                raise LineEnded("the other end closed the line")
            self.coming += data

    def send(self, frame):
        parts = [frame[i:i + PART_MAX] for i in range(0, len(frame), PART_MAX)]
        for i, part in enumerate(parts):
            self._put(DATA, self.sending.seal(bytes([i + 1 == len(parts)]) + part))

    def receive(self, seconds=None):
        while (packet := self._packet(seconds)) is not None:
            kind, body = packet
            if kind == AGAIN:
                raise LineEnded("something was lost on the line")
            if kind != DATA:
                continue
            part = self.receiving.open(body)
            need(len(part) > 1 and part[0] <= 1, "a part of a frame")
            self.frame += part[1:]
            if part[0]:
                frame, self.frame = self.frame, b""
                return frame
        return None
