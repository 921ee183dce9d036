#!/usr/bin/env python3
"""A second reader of the protocol, written from proto/SPEC.md alone: no line of it is shared with the
C sources. It checks the golden vectors beside it. Needs Python 3.9 and the zstd command.

    tests/vectors/check.py [DIRECTORY]
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


class Refused(Exception):
    """What SPEC says is not taken."""


def need(holds, why):
    if not holds:
        raise Refused(why)


# --- section 2: encoding ------------------------------------------------------------------------


class Reader:
    """Canonical msgpack; a map is a list of pairs, so that keys keep their type."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        need(self.at + size <= len(self.data), "cut")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "big", signed=signed)

    def length(self, size, least):
        value = self.number(size)
        need(value >= least, "length not in its shortest form")
        return value

    def value(self):
        """Gives (value, depth)."""
        tag = self.take(1)[0]
        if tag <= 0x7f:
            return tag, 0
        if tag >= 0xe0:
            return tag - 256, 0
        if tag <= 0x8f:
            return self.map(tag & 15)
        if tag <= 0x9f:
            return self.array(tag & 15)
        if tag <= 0xbf:
            return self.text(tag & 31), 0
        if tag in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[tag], 0
        if tag in (0xc4, 0xc5, 0xc6):
            return self.take(self.length(*((1, 0), (2, 256), (4, 65536))[tag - 0xc4])), 0
        if 0xcc <= tag <= 0xcf:
            size = 1 << (tag - 0xcc)
            value = self.number(size)
            need(value > (127, 255, 65535, None, 2**32 - 1)[size.bit_length() - 1 + (size == 8)],
                 "number not in its shortest form")
            return value, 0
        if 0xd0 <= tag <= 0xd3:
            size = 1 << (tag - 0xd0)
            value = self.number(size, signed=True)
            need(value < {1: -32, 2: -2**7, 4: -2**15, 8: -2**31}[size], "number not shortest")
            return value, 0
        if tag in (0xd9, 0xda, 0xdb):
            return self.text(self.length(*((1, 32), (2, 256), (4, 65536))[tag - 0xd9])), 0
        if tag in (0xdc, 0xdd):
            return self.array(self.length(*((2, 16), (4, 65536))[tag - 0xdc]))
        if tag in (0xde, 0xdf):
            return self.map(self.length(*((2, 16), (4, 65536))[tag - 0xde]))
        raise Refused("type that is not allowed")

    def text(self, size):
        raw = self.take(size)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused("no UTF-8") from error
        need(all(ord(c) >= 32 or c in "\t\n" for c in text), "control character")
        return text

    def array(self, count):
        need(count <= len(self.data) - self.at, "count past the end")
        items, depth = [], 0
        for _ in range(count):
            item, below = self.value()
            items.append(item)
            depth = max(depth, below)
        need(depth < 8, "too deep")
        return items, depth + 1

    def map(self, count):
        need(2 * count <= len(self.data) - self.at, "count past the end")
        pairs, before, depth = [], b"", 0
        for _ in range(count):
            start = self.at
            key, _ = self.value()
            raw = self.data[start:self.at]
            need(isinstance(key, str) or (type(key) is int and key >= 0), "key type")
            need(raw > before, "key order")
            before = raw
            item, below = self.value()
            pairs.append((key, item))
            depth = max(depth, below)
        need(depth < 8, "too deep")
        return Map(pairs), depth + 1


class Map:
    def __init__(self, pairs):
        self.pairs = pairs

    def __eq__(self, other):
        return isinstance(other, Map) and self.pairs == other.pairs


def decode(data, depth_max=8):
    need(len(data) > 0, "nothing")
    reader = Reader(data)
    value, depth = reader.value()
    need(reader.at == len(data), "bytes after the value")
    need(depth <= depth_max, "too deep")
    return value


def sized(tag, short, value, tags):
    if short is not None and value < short[1]:
        return bytes([short[0] | value])
    for code, size in tags:
        if value < 1 << (8 * size):
            return bytes([code]) + value.to_bytes(size, "big")
    raise ValueError(tag)


def encode(value):
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if value >= 0:
            return sized("uint", (0, 128), value, ((0xcc, 1), (0xcd, 2), (0xce, 4), (0xcf, 8)))
        if value >= -32:
            return bytes([value + 256])
        for code, size in ((0xd0, 1), (0xd1, 2), (0xd2, 4), (0xd3, 8)):
            if value >= -(1 << (8 * size - 1)):
                return bytes([code]) + value.to_bytes(size, "big", signed=True)
    if isinstance(value, str):
        raw = value.encode()
        return sized("str", (0xa0, 32), len(raw), ((0xd9, 1), (0xda, 2), (0xdb, 4))) + raw
    if isinstance(value, bytes):
        return sized("bin", None, len(value), ((0xc4, 1), (0xc5, 2), (0xc6, 4))) + value
    if isinstance(value, list):
        head = sized("array", (0x90, 16), len(value), ((0xdc, 2), (0xdd, 4)))
        return head + b"".join(encode(item) for item in value)
    if isinstance(value, Map):
        parts = sorted((encode(k), encode(v)) for k, v in value.pairs)
        head = sized("map", (0x80, 16), len(parts), ((0xde, 2), (0xdf, 4)))
        return head + b"".join(k + v for k, v in parts)
    raise TypeError(value)


def plain(value):
    """As the vectors write values: bin as {"$bin": hex}, numbers over 2^63 - 1 as {"$uint": text}."""
    if isinstance(value, bytes):
        return {"$bin": value.hex()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Map):
        return {str(k): plain(v) for k, v in value.pairs}
    if type(value) is int and value >= 2**63:
        return {"$uint": str(value)}
    return value


# --- section 3: hashes and signatures -----------------------------------------------------------


def pad(context):
    return context.encode().ljust(16, b"\0")


def blake(context, message):
    return hashlib.blake2b(message, digest_size=32, person=pad(context)).digest()


P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0, "no point")
    return P - x if x & 1 != sign else x


def point_add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    m, n = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    k, z = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = n - m, z - k, z + k, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_times(scalar, point):
    out = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            out = point_add(out, point)
        point = point_add(point, point)
        scalar >>= 1
    return out


def point_bytes(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_of(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    need(y < P, "no canonical point")
    x = recover_x(y, sign)
    return x, y, 1, x * y % P


BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def sha(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def secret_of(seed):
    raw = hashlib.sha512(seed).digest()
    return (int.from_bytes(raw[:32], "little") & ((1 << 254) - 8)) | (1 << 254), raw[32:]


def key_of(seed):
    return point_bytes(point_times(secret_of(seed)[0], BASE))


def sign(seed, context, message):
    message = pad(context) + message
    secret, prefix = secret_of(seed)
    key = key_of(seed)
    r = sha(prefix, message) % L
    point = point_bytes(point_times(r, BASE))
    s = (r + sha(point, key, message) * secret) % L
    return point + s.to_bytes(32, "little")


def verify(key, context, message, signature):
    message = pad(context) + message
    s = int.from_bytes(signature[32:], "little")
    need(s < L, "S too great")
    left = point_times(s, BASE)
    right = point_add(point_of(signature[:32]),
                      point_times(sha(signature[:32], key, message) % L, point_of(key)))
    need(point_bytes(left) == point_bytes(right), "signature")


# --- sections 4 to 6: feeds and events ----------------------------------------------------------


def is_bin(value, size):
    return isinstance(value, bytes) and len(value) == size


def is_uint(value, most):
    return type(value) is int and 0 <= value <= most


def text_map(value):
    return isinstance(value, Map) and all(isinstance(k, str) for k, _ in value.pairs)


def check_feed(feed):
    need(isinstance(feed, list) and len(feed) == 4, "feed")
    author, scope, lane, epoch = feed
    need(is_bin(author, 32), "author")
    need(isinstance(scope, str), "scope")
    village = scope.startswith("village:") and len(scope) == 20
    need(scope in ("town", "office") or
         village and all(c in "0123456789" for c in scope[8:]), "scope")
    need(is_uint(lane, 2), "lane")
    need(epoch is None or is_bin(epoch, 8), "epoch")


def check_header(raw):
    need(len(raw) <= 16384, "size")
    header = decode(raw)
    need(isinstance(header, list) and len(header) > 0 and header[0] == 1, "suite")
    need(len(header) == 16, "elements")
    check_feed(header[1:5])
    _, _, _, _, _, seq, prev, time, kind, subject, depth, seen, by, body, digest, ext = header
    need(is_uint(seq, 2**48 - 1) and seq >= 1, "seq")
    need(prev is None if seq == 1 else is_bin(prev, 32), "prev")
    need(is_uint(time, 2**64 - 1), "time")
    need(isinstance(kind, str) and 1 <= len(kind) <= 48 and kind[0].islower() and
         all(c in "abcdefghijklmnopqrstuvwxyz0123456789_.-" for c in kind), "kind")
    need(subject is None or is_bin(subject, 16), "subject")
    need(is_uint(depth, 2**32 - 1) and is_uint(seen, 2**32 - 1) and depth <= seen, "depth")
    need(subject is not None or seen == 0, "founding event with seen")
    need(by is None or is_bin(by, 16), "by")
    need(text_map(body), "body")
    need(digest is None or is_bin(digest, 32), "box digest")
    if ext is not None:
        need(isinstance(ext, Map) and ext.pairs and len(encode(ext)) <= 256 and
             all(type(k) is int and isinstance(v, bytes) for k, v in ext.pairs), "ext")
    return header


def event_id(raw):
    return blake("sidan/event", raw)


def thing_of(header, eid):
    return header[9] if header[9] is not None else (header[7] >> 16).to_bytes(6, "big") + eid[:10]


def check_box(salt, box):
    need(len(box) <= 49152 and text_map(decode(box, 6)), "box")
    return blake("sidan/box", salt + box)


# --- section 7: runs ----------------------------------------------------------------------------


class Context:
    def __init__(self, time):
        self.time, self.met = time, []

    def meet(self, time, thing):
        self.time = time
        if thing not in self.met:
            self.met.append(thing)

    def expected(self, dt):
        return (self.time + 2) & 0xffff if dt == 0 else self.time & 1


def read_record(record, context):
    """The header's own fields of a record: [time, kind, subject, ...] and its box."""
    need(isinstance(record, list) and len(record) == 9, "record")
    kind, depth, seen, by, subject, time, body, box, ext = record
    if type(subject) is int:
        need(0 <= subject < len(context.met), "back-reference")
        subject = context.met[-1 - subject]
    elif subject is not None:
        need(subject not in context.met, "thing met before in full")
    dt, low = time if isinstance(time, list) and len(time) == 2 else (time, None)
    need(type(dt) is int, "time")
    if low is None:
        low = context.expected(dt)
    else:
        need(is_uint(low, 65535) and low != context.expected(dt), "time's low bits")
    ms = (context.time >> 16) + dt
    need(0 <= ms < 2**48, "time")
    digest = box
    if isinstance(box, list):
        need(len(box) == 2 and is_bin(box[0], 8), "box")
        digest = check_box(box[0], encode(box[1]))
    return [ms << 16 | low, kind, subject, depth, seen, by, body, digest, ext]


def write_record(header, salt, box, context):
    """The raw bytes of an event, for dictionaries."""
    time, subject = header[7], header[9]
    if subject in context.met:
        subject = len(context.met) - 1 - context.met.index(subject)
    dt = (time >> 16) - (context.time >> 16)
    low = time & 0xffff
    packed = None if header[14] is None else header[14] if box is None else [salt, decode(box)]
    return encode([header[8], header[10], header[11], header[12], subject,
                   dt if low == context.expected(dt) else [dt, low], header[13], packed, header[15]])


def unzstd(payload, dictionary, raw_size):
    need(payload[:1] == b"\0" and len(payload) > 1 and payload[1] <= 0x50, "zstd header")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dictionary")
        with open(path, "wb") as file:
            file.write(dictionary)
        command = ["zstd", "-d", "-c", "-q"] + (["-D", path] if dictionary else [])
        done = subprocess.run(command, input=b"\x28\xb5\x2f\xfd" + payload, capture_output=True)
    need(done.returncode == 0, "zstd")
    need(len(done.stdout) == raw_size, "raw size")
    return done.stdout


def open_run(frame, feed, before):
    """Gives (ids, raw, dictionary). `before`: the feed's events that are held, [header, id, salt, box]."""
    _, _, base_seq, base_id8, dictionary8, count, raw_size, check4, payload, signature = frame[:10]
    held = before[:base_seq]
    need(len(held) == base_seq, "base")
    need(base_id8 is None if base_seq == 0 else base_id8 == held[-1][1][:8], "base")
    context = Context(held[-1][0][7] if held else 0)
    dictionary = b""
    if dictionary8 is not None:
        start, weight = len(held), 0
        while start > 0:
            header, _, _, box = held[start - 1]
            weight += len(encode(header[13])) + len(box or b"") + 64
            if weight > 32768:
                break
            start -= 1
        context = Context(0)
        for header, eid, salt, box in held[start:]:
            dictionary += write_record(header, salt, box, context)
            context.meet(header[7], thing_of(header, eid))
        need(dictionary8 == blake("sidan/dict", dictionary)[:8], "dictionary")
    raw = unzstd(payload, dictionary, raw_size)
    need(check4 == blake("sidan/run", raw)[:4], "check")
    reader, ids, prev = Reader(raw), [], held[-1][1] if held else None
    for i in range(count):
        record, depth = reader.value()
        need(depth <= 8, "too deep")
        time, kind, subject, depth, seen, by, body, digest, ext = read_record(record, context)
        header = encode([1] + feed + [base_seq + 1 + i, prev, time, kind, subject, depth, seen, by,
                                      body, digest, ext])
        prev = event_id(header)
        ids.append(prev)
        context.meet(time, thing_of(check_header(header), prev))
    need(reader.at == len(raw), "records after the last")
    verify(feed[0], "sidan/event", ids[-1], signature)
    return ids, raw, dictionary


# --- section 8: frames --------------------------------------------------------------------------

TOP = 2**48 - 1


def check_ref(value):
    if not is_bin(value, 8):
        check_feed(value)


def check_entries(entries, most, sizes):
    need(isinstance(entries, list) and len(entries) <= most, "entries")
    for entry in entries:
        need(isinstance(entry, list) and len(entry) == len(sizes), "entry")
        for value, size in zip(entry, sizes):
            if size == "feed":
                check_ref(value)
            elif size == "seq":
                need(is_uint(value, TOP) and value > 0, "seq")
            else:
                need(is_bin(value, size), "id")


def check_fields(values, forms):
    need(len(values) >= len(forms), "elements")
    for value, form in zip(values, forms):
        kind, bound = form
        good = {"uint": lambda: is_uint(value, bound), "bool": lambda: isinstance(value, bool),
                "bin": lambda: is_bin(value, bound), "bin?": lambda: value is None or is_bin(value, bound),
                "str": lambda: isinstance(value, str) and len(value.encode()) <= bound,
                "data": lambda: isinstance(value, bytes) and 1 <= len(value) <= bound,
                "any": lambda: True}[kind]()
        need(good, "field")


def check_frame(raw):
    need(len(raw) <= 81920, "size")
    frame = decode(raw)
    need(isinstance(frame, list) and frame and is_uint(frame[0], 2**64 - 1), "type")
    kind, rest = frame[0], frame[1:]
    if kind == 1:
        check_fields(rest, [("uint", TOP), ("uint", TOP)])
        need(rest[0] <= rest[1], "range")
        if rest[0] > 1 or rest[1] < 1:
            return frame
        check_fields(rest[2:], [("bin", 8), ("uint", TOP), ("bool", 0), ("bin", 8), ("uint", TOP),
                                ("str", 32), ("uint", TOP), ("bin?", 8), ("bool", 0), ("bin", 8),
                                ("any", 0)])
        check_entries(rest[12], 2048, ["feed", "seq", 8])
    elif kind == 2:
        check_fields(rest, [("any", 0), ("uint", TOP), ("bin?", 8), ("bin?", 8), ("uint", 4096),
                            ("uint", 2**20), ("bin", 4), ("data", 65536), ("bin", 64), ("bin?", 8)])
        check_ref(rest[0])
        need((rest[2] is None) == (rest[1] == 0), "base")
        need(rest[1] > 0 or rest[3] is None, "dictionary")
        need(rest[4] > 0 and rest[5] > 0 and rest[1] + rest[4] <= TOP, "count")
    elif kind == 3:
        check_fields(rest, [("any", 0), ("any", 0), ("uint", TOP), ("uint", TOP)])
        if rest[0] is not None:
            check_ref(rest[0])
        check_entries(rest[1], 40, ["seq", 8])
    elif kind == 4:
        check_fields(rest, [("uint", TOP), ("uint", TOP), ("uint", TOP), ("bin?", 8), ("any", 0),
                            ("bin", 64)])
        check_entries(rest[4], 1024, [8, "seq", 32])
    elif kind == 5:
        check_fields(rest, [("uint", TOP), ("str", 256)])
    elif kind == 16:
        check_fields(rest, [("data", 512), ("bin", 64), ("bin", 64)])
    elif kind == 17:
        check_fields(rest, [("bin", 32)])
    return frame


def feed_id(ref):
    return ref if isinstance(ref, bytes) else blake("sidan/feed", encode(ref))[:8]


# --- the vectors --------------------------------------------------------------------------------

counts = {"passed": 0, "failed": 0}


def load(name):
    with open(os.path.join(HERE, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def case(name, holds):
    counts["passed" if holds else "failed"] += 1
    if not holds:
        print("FAILED", name)


def refuses(name, function, *arguments):
    try:
        function(*arguments)
        case(name + ": was taken", False)
    except Refused:
        case(name, True)


def accepts(name, function):
    try:
        case(name, function())
    except Refused as why:
        case(f"{name}: {why}", False)


def test_encoding():
    vectors = load("encoding")
    for v in vectors["accept"]:
        raw = bytes.fromhex(v["encoded"])
        accepts("encoding, " + v["what"], lambda raw=raw: encode(decode(raw)) == raw)
    for v in vectors["refuse"]:
        refuses("encoding, " + v["what"], decode, bytes.fromhex(v["encoded"]))


def test_crypto():
    vectors = load("crypto")
    for v in vectors["hashes"]:
        case("hash", blake(v["context"], bytes.fromhex(v["message"])).hex() == v["hash"])
    for v in vectors["signatures"]:
        seed, message = bytes.fromhex(v["seed"]), bytes.fromhex(v["message"])
        case("key", key_of(seed).hex() == v["key"])
        case("signature", sign(seed, v["context"], message).hex() == v["signature"])
        refuses("signature of another message", verify, bytes.fromhex(v["key"]), v["context"],
                message + b"x", bytes.fromhex(v["signature"]))


def test_feeds():
    for v in load("feeds"):
        raw = bytes.fromhex(v["encoded"])
        feed = decode(raw)
        accepts("feed", lambda feed=feed: check_feed(feed) is None)
        case("feed", plain(feed) == v["value"] and blake("sidan/feed", raw).hex() == v["id"])


def test_events():
    vectors, chain = load("events"), []
    seed = bytes.fromhex(vectors["seed"])
    for v in vectors["accept"]:
        name, raw = "event, " + v["what"], bytes.fromhex(v["header"])
        header, eid = check_header(raw), event_id(raw)
        case(name, encode(header) == raw and plain(header) == v["value"])
        case(name + ": id", eid.hex() == v["id"])
        case(name + ": thing", thing_of(header, eid).hex() == v["thing"])
        case(name + ": signature", sign(seed, "sidan/event", eid).hex() == v["signature"])
        case(name + ": link", header[6] == (chain[-1][1] if chain else None))
        salt, box = (v[k] and bytes.fromhex(v[k]) for k in ("salt", "box"))
        if box:
            case(name + ": box", check_box(salt, box) == header[14])
        chain.append((header, eid, salt, box))
    for v in vectors["refuse"]:
        refuses("event, " + v["what"], check_header, bytes.fromhex(v["header"]))
    return chain


def test_runs(chain):
    vectors, feed = load("runs"), chain[0][0][1:5]
    for v in vectors["accept"]:
        name, first = "run, " + v["what"], v["first"] - 1
        try:
            frame = check_frame(bytes.fromhex(v["frame"]))
            ids, raw, dictionary = open_run(frame, feed, chain)
        except Refused as why:
            case(f"{name}: {why}", False)
            continue
        case(name + ": feed", feed_id(frame[1]) == feed_id(feed))
        case(name + ": ids", ids == [e[1] for e in chain[first:first + v["count"]]])
        case(name + ": raw", raw.hex() == v["raw"] and dictionary.hex() == v["dictionary"])
        context = Context(chain[first - 1][0][7] if first else 0)
        if dictionary:
            context = Context(0)
            for header, eid, _, _ in chain[first - v["dictionary_events"]:first]:
                context.meet(header[7], thing_of(header, eid))
        again = b""
        for header, eid, salt, box in chain[first:first + v["count"]]:
            again += write_record(header, salt, box, context)
            context.meet(header[7], thing_of(header, eid))
        case(name + ": written again", again == raw)
    for v in vectors["refuse"]:
        frame = check_frame(bytes.fromhex(v["frame"]))
        refuses("run, " + v["what"], open_run, frame, feed, chain)


def test_receipt(v, frame):
    body = bytes.fromhex(v["body"])
    statement = decode(body)
    key = key_of(bytes.fromhex(v["seed"]))
    case("receipt: its own words", statement[4:] == [frame[1], frame[2], frame[5]])
    case("receipt: receiver", statement[1] == key and plain(statement) == v["body_value"])
    accepts("receipt: signature", lambda: verify(
        key, "sidan/receipt", blake("sidan/receipt", body), frame[6]) is None)


def test_frames():
    vectors = load("frames")
    for v in vectors["accept"]:
        name, raw = "frame, " + v["what"], bytes.fromhex(v["frame"])
        try:
            frame = check_frame(raw)
        except Refused as why:
            case(f"{name}: {why}", False)
            continue
        case(name, encode(frame) == raw and plain(frame) == v["value"])
        if frame[0] == 1 and frame[1] == 1:
            entries = sorted(feed_id(f)[:8] + seq.to_bytes(8, "big") + id8
                             for f, seq, id8 in frame[13])
            case(name + ": have8", blake("sidan/have", b"".join(entries))[:8] == frame[12])
        if "body" in v:
            test_receipt(v, frame)
    for v in vectors["refuse"]:
        refuses("frame, " + v["what"], check_frame, bytes.fromhex(v["encoded"]))


def test_joining():
    vectors = load("joining")
    v = vectors["exchange"]
    raw = bytes.fromhex(v["request"])
    request, join = decode(raw), check_frame(bytes.fromhex(v["join"]))
    admit = check_frame(bytes.fromhex(v["admit"]))
    case("join: request", plain(request) == v["value"] and join[1] == raw)
    for at, seed, signature in ((1, v["invite_seed"], join[2]), (2, v["device_seed"], join[3])):
        case("join: key", request[at] == key_of(bytes.fromhex(seed)))
        accepts("join: signature", lambda at=at, signature=signature: verify(
            request[at], "sidan/join", raw, signature) is None)
    case("admit", admit[1] == blake("sidan/admit", raw))
    line = vectors["invite"]["text"].split("\nsidan-invite-1:")[1]
    packed = "".join(line.split())
    packed = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    case("invite: check", packed[-4:] == blake("sidan/invite", packed[:-4])[:4])
    case("invite", plain(decode(packed[:-4])) == vectors["invite"]["value"])


def test_digests():
    v = load("digests")
    ids = sorted(bytes.fromhex(i) for i in v["ids"])
    case("events digest", blake("sidan/events", b"".join(ids)).hex() == v["events_digest"])
    total = 0
    for row in v["rows"]:
        key, value = bytes.fromhex(row["key"]), bytes.fromhex(row["value"])
        decode(value)
        total += int.from_bytes(blake("sidan/row", b"\x74" + key + value), "big")
    case("row sum", (total % 2**256).to_bytes(32, "big").hex() == v["row_sum"])


def test_specification():
    """Each worked example of SPEC, section 18, is one of the vectors."""
    known = set()
    for name in ("crypto", "feeds", "events", "runs", "frames", "joining"):
        known.update(walk_texts(load(name)))
    with open(os.path.join(HERE, "..", "..", "proto", "SPEC.md"), encoding="utf-8") as file:
        section = file.read().split("\n## 18.")[1]
    examples, block = [], ""
    for line in section.splitlines() + [""]:
        if line.startswith("    "):
            block += line.strip()
        elif block:
            examples.append(block)
            block = ""
    for example in examples:
        case("SPEC 18: " + example[:32], example in known)
    case("SPEC 18 has examples", len(examples) > 10)


def walk_texts(value):
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk_texts(item)


def main():
    test_encoding()
    test_crypto()
    test_feeds()
    chain = test_events()
    test_runs(chain)
    test_frames()
    test_joining()
    test_digests()
    test_specification()
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
