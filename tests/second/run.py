"""Runs: consecutive events of one feed, packed: SPEC 7."""

import subprocess
import tempfile
from pathlib import Path

from log import Event
from wire import Malformed, Reader, digest, encode, is_bin, is_uint, need, verify

RAW_MAX, DICTIONARY_MAX = 1 << 20, 1 << 15
MAGIC = b"\x28\xb5\x2f\xfd"


class TooLarge(Malformed):
    pass


class BadSignature(Malformed):
    pass


class DictionaryDiffers(Exception):
    pass


class Context:
    """What a record refers back to: 7.4."""

    def __init__(self, time=0):
        self.time, self.things = time, []

    def low_expected(self, dt):
        return (self.time + 2) & 0xFFFF if dt == 0 else self.time & 1

    def passed(self, event):
        self.time = event.time
        if event.thing not in self.things:
            self.things.append(event.thing)


def record_write(context, event):
    dt, low = event.ms - (context.time >> 16), event.time & 0xFFFF
    subject = event.subject
    if subject in context.things:
        subject = len(context.things) - 1 - context.things.index(subject)
    if event.box is None:
        box = encode(event.box_digest)
    else:
        box = b"\x92" + encode(event.salt) + event.box
    record = b"\x99" + b"".join(map(encode, (
        event.kind, event.depth, event.seen, event.by, subject,
        dt if low == context.low_expected(dt) else [dt, low], event.body)))
    context.passed(event)
    return record + box + encode(event.ext)


def record_read(context, reader, feed, seq, prev):
    value = reader.value()
    need(isinstance(value, list) and len(value) == 9, "record")
    kind, depth, seen, by, subject, time, body, box, ext = value
    if is_uint(subject, 2**64 - 1):
        need(subject < len(context.things), "a thing not met")
        subject = context.things[-1 - subject]
    else:
        need(subject not in context.things, "a thing that was met, in full")
    salt = box_digest = None
    if isinstance(box, list):
        need(len(box) == 2 and is_bin(box[0], 8) and isinstance(box[1], dict), "box")
        salt, box = box[0], encode(box[1])
    elif box is not None:
        need(is_bin(box, 32), "box digest")
        box_digest, box = box, None
    event = Event(feed, seq, prev, _time_read(context, time), kind, subject, depth, seen, by, body,
                  box_digest, ext, salt, box).check()
    context.passed(event)
    return event


def _time_read(context, time):
    dt, low = time if isinstance(time, list) and len(time) == 2 else (time, None)
    need(isinstance(dt, int) and not isinstance(dt, bool), "dt")
    expected = context.low_expected(dt)
    need(low is None or is_uint(low, 0xFFFF) and low != expected, "low")
    ms = (context.time >> 16) + dt
    need(0 <= ms < 1 << 48, "time")
    return ms << 16 | (expected if low is None else low)


def dictionary(log, base):
    """The dictionary that ends at the event `base`, and the context after it: 7.5."""
    events, weight = [], 0
    if base and base.feed[2] != 2:
        for event in log.branch(base):
            weight += len(encode(event.body)) + len(event.box or b"") + 64
            if weight > DICTIONARY_MAX:
                break
            events.insert(0, event)
    if not events:
        return None, Context(base.time if base else 0)
    context = Context()
    return b"".join(record_write(context, e) for e in events), context


def _zstd(arguments, data, dictionary_bytes, size_max):
    """What zstd makes of the data; at most one byte more than size_max is taken from it."""
    with tempfile.TemporaryDirectory() as folder:
        source, history = Path(folder) / "source", Path(folder) / "history"
        source.write_bytes(data)
        if dictionary_bytes:
            history.write_bytes(dictionary_bytes)
            arguments = [*arguments, "-D", history]
        with source.open("rb") as stdin, subprocess.Popen(
                ["zstd", "-q", "-c", *arguments], stdin=stdin, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL) as process:
            result = process.stdout.read(size_max + 1)
            process.stdout.close()
        if len(result) > size_max:
            raise TooLarge("more than was said")
        need(process.returncode == 0, "zstd")
        return result


def compress(raw, dictionary_bytes):
    arguments = ["--no-check", "--no-content-size", "--zstd=wlog=20"]
    payload = _zstd(arguments, raw, dictionary_bytes, 2 * RAW_MAX)
    return payload[len(MAGIC):]


def expand(payload, dictionary_bytes, raw_size):
    need(len(payload) >= 2 and payload[0] == 0 and payload[1] <= 0x50, "zstd header")
    at, last = 2, False
    while not last:  # blocks (RFC 8878, 3.1.1.2): nothing may stand behind the last
        need(at + 3 <= len(payload), "zstd block")
        block = int.from_bytes(payload[at : at + 3], "little")
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == 1 else size)
    need(at == len(payload), "bytes after the zstd frame")
    raw = _zstd(["-d"], MAGIC + payload, dictionary_bytes, raw_size)
    need(len(raw) == raw_size, "raw size")
    return raw


def pack(log, base, events, with_dictionary=True):
    """The elements of RUN from base_seq to signature."""
    history, context = dictionary(log, base)
    if not with_dictionary:
        history, context = None, Context(base.time if base else 0)
    raw = b"".join(record_write(context, e) for e in events)
    return [base.seq if base else 0, base.id[:8] if base else None, history is not None,
            len(events), len(raw), digest("sidan/run", raw)[:4], compress(raw, history),
            events[-1].signature]


def unpack(log, feed, base, fields):
    """The events of a run whose base is held; `fields` of RUN from dictionary to signature."""
    with_dictionary, count, raw_size, check4, payload, signature = fields
    history, context = None, Context(base.time if base else 0)
    if with_dictionary:
        history, context = dictionary(log, base)
        if history is None:
            raise DictionaryDiffers
    try:
        raw = expand(payload, history, raw_size)
        need(digest("sidan/run", raw)[:4] == check4, "check4")
    except Malformed as error:
        raise DictionaryDiffers if with_dictionary else error
    reader, events = Reader(raw), []
    seq, prev = (base.seq, base.id) if base else (0, None)
    for _ in range(count):
        events.append(record_read(context, reader, feed, seq := seq + 1, prev))
        prev = events[-1].id
    need(reader.at == len(raw), "bytes after the last record")
    if not verify(feed[0], "sidan/event", prev, signature):
        raise BadSignature("signature of the run")
    events[-1].signature = signature
    return events
