#!/usr/bin/python3
"""Reads the golden vectors beside it with the second implementation (tests/second), which was written
from proto/SPEC.md alone and shares no line with the C sources.

    tests/vectors/check.py [DIRECTORY]
"""
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/second"))

import bundle
from fold import FOLD_VERSION
from carried import answer_open, armour_read, words
from frame import HELLO, RECEIPT, common_version, frame_read, have8, id8
from invite import invite_read
import pipe
from log import Event, Log, feed_check, feed_id
from roster import join_request
from run import Context, DictionaryDiffers, dictionary, record_write, unpack
from sealed import seal, unseal
from town import contradict, town_verify
from wire import Malformed, decode, digest, encode, need, sign, signing_key, transport_key, verify

HERE = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tests/vectors")
counts = {"passed": 0, "failed": 0}


def load(name):
    return json.loads((HERE / (name + ".json")).read_text())


def plain(value):
    """As the vectors write values: bin as {"$bin": hex}, numbers over 2^63 - 1 as {"$uint": text}."""
    if isinstance(value, bytes):
        return {"$bin": value.hex()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, int) and value >= 2**63:
        return {"$uint": str(value)}
    return value


def case(name, holds):
    counts["passed" if holds else "failed"] += 1
    if not holds:
        print("FAILED", name)


def refuses(name, function, *arguments):
    try:
        function(*arguments)
        case(name + ": was taken", False)
    except (Malformed, DictionaryDiffers):
        case(name, True)


def accepts(name, function, *arguments):
    try:
        return function(*arguments)
    except Malformed as why:
        case(f"{name}: {why}", False)
        return None


def test_encoding():
    vectors = load("encoding")
    for v in vectors["accept"]:
        raw, name = bytes.fromhex(v["encoded"]), "encoding, " + v["what"]
        case(name, encode(accepts(name, decode, raw)) == raw)
    for v in vectors["refuse"]:
        refuses("encoding, " + v["what"], decode, bytes.fromhex(v["encoded"]))


def test_crypto():
    vectors = load("crypto")
    for v in vectors["hashes"]:
        case("hash", digest(v["context"], bytes.fromhex(v["message"])).hex() == v["hash"])
    for v in vectors["signatures"]:
        seed, message = bytes.fromhex(v["seed"]), bytes.fromhex(v["message"])
        key, signature = bytes.fromhex(v["key"]), bytes.fromhex(v["signature"])
        case("key", signing_key(seed) == key)
        case("signature", sign(seed, v["context"], message) == signature)
        case("signature verified", verify(key, v["context"], message, signature))
        case("signature of another message",
             not verify(key, v["context"], message + b"x", signature))


def test_feeds():
    for v in load("feeds"):
        raw = bytes.fromhex(v["encoded"])
        feed = accepts("feed", lambda raw=raw: list(feed_check(decode(raw))))
        case("feed", plain(feed) == v["value"] and feed_id(feed).hex() == v["id"])


def test_events(log):
    vectors = load("events")
    seed = bytes.fromhex(vectors["seed"])
    for v in vectors["accept"]:
        name, raw = "event, " + v["what"], bytes.fromhex(v["header"])
        salt, box = (v[k] and bytes.fromhex(v[k]) for k in ("salt", "box"))
        event = accepts(name, lambda: Event.from_header(raw, salt=salt, box=box))
        case(name, event.header == raw and plain(decode(raw)) == v["value"])
        case(name + ": id", event.id.hex() == v["id"])
        case(name + ": thing", event.thing.hex() == v["thing"])
        case(name + ": signature", sign(seed, "sidan/event", event.id).hex() == v["signature"])
        case(name + ": link", event.prev is None or event.prev in log.events)
        log.append([event])
    for v in vectors["refuse"]:
        refuses("event, " + v["what"], Event.from_header, bytes.fromhex(v["header"]))
    return event.feed


def run_open(log, feed, frame):
    base = log.find(feed, frame[2], frame[3] or b"")
    need(base or frame[2] == 0, "base")
    return base, unpack(log, feed, base, frame[4:10])


def test_runs(log, feed):
    vectors = load("runs")
    chain = sorted(log.events.values(), key=lambda event: event.seq)
    for v in vectors["accept"]:
        name, first = "run, " + v["what"], v["first"] - 1
        frame = accepts(name, frame_read, bytes.fromhex(v["frame"]))
        base, events = accepts(name, run_open, log, feed, frame)
        history, context = dictionary(log, base)
        if not v["dictionary_events"]:
            history, context = None, Context(base.time if base else 0)
        case(name + ": feed", id8(frame[1]) == id8(feed))
        case(name + ": events", [e.id for e in events]
             == [e.id for e in chain[first : first + v["count"]]])
        case(name + ": dictionary", (history or b"").hex() == v["dictionary"])
        raw = b"".join(record_write(context, e) for e in chain[first : first + v["count"]])
        case(name + ": raw", raw.hex() == v["raw"])
    for v in vectors["refuse"]:
        frame = accepts("run, " + v["what"], frame_read, bytes.fromhex(v["frame"]))
        refuses("run, " + v["what"], run_open, log, feed, frame)


def test_receipt(v, frame):
    body = bytes.fromhex(v["body"])
    statement = decode(body)
    key = signing_key(bytes.fromhex(v["seed"]))
    case("receipt: its own words", statement[4:] == [frame[1], frame[2], frame[5]])
    case("receipt: receiver", statement[1] == key and plain(statement) == v["body_value"])
    case("receipt: signature",
         verify(key, "sidan/receipt", digest("sidan/receipt", body), frame[6]))


def test_town(v, frame):
    township, key = bytes.fromhex(v["township"]), signing_key(bytes.fromhex(v["seed"]))
    case("town: hub and signature", frame[1] == key and town_verify(township, key, frame))
    other = frame[:5] + [bytes(32)] + frame[6:]
    case("town: another digest", not town_verify(township, key, other))
    if frame[7]:
        case("town: follows itself", not contradict(frame, frame))
        later = frame[:3] + [frame[3] + 1] + frame[4:7] + [frame[7][1:]]
        case("town: one head taken back", contradict(frame, later) and contradict(later, frame))
        case("town: another store", not contradict(frame, [*frame[:2], bytes(8), *later[3:]]))


def test_frames():
    vectors = load("frames")
    for v in vectors["accept"]:
        name, raw = "frame, " + v["what"], bytes.fromhex(v["frame"])
        frame = accepts(name, frame_read, raw)
        case(name, encode(frame) == raw and plain(frame) == v["value"])
        if frame[0] == HELLO and common_version(frame):
            case(name + ": have8", have8(frame[13]) == frame[12])
        if frame[0] == RECEIPT and "body" in v:
            test_receipt(v, frame)
        if "township" in v:
            test_town(v, frame)
        if "first" in v:
            case(name + ": id", bundle.bundle_id(frame[1][0][0]).hex() == v["first"])
    for v in vectors["refuse"]:
        refuses("frame, " + v["what"], frame_read, bytes.fromhex(v["encoded"]))


def test_joining():
    vectors = load("joining")
    v = vectors["exchange"]
    raw = bytes.fromhex(v["request"])
    request, join = join_request(raw), frame_read(bytes.fromhex(v["join"]))
    admit = frame_read(bytes.fromhex(v["admit"]))
    case("join: request", plain(request) == v["value"] and join[1] == raw)
    for at, seed, signature in ((1, v["invite_seed"], join[2]), (2, v["device_seed"], join[3])):
        case("join: key", request[at] == signing_key(bytes.fromhex(seed)))
        case("join: signature", verify(request[at], "sidan/join", raw, signature))
    case("admit", admit[1] == digest("sidan/admit", raw))
    invite = invite_read(vectors["invite"]["text"].encode())
    case("invite", [plain(part) for part in vars(invite).values()] == vectors["invite"]["value"])


def test_carried():
    v = load("carried")
    request, secret = bytes.fromhex(v["request"]), bytes.fromhex(v["transport_secret"])
    case("carried: request", armour_read("request", v["request_text"]).hex() == v["join"])
    case("carried: frame", frame_read(bytes.fromhex(v["join"]))[1] == request)
    case("carried: words", words(request) == (v["words"], v["numbers"]))
    answer = bytes.fromhex(v["answer"])
    case("carried: answer", armour_read("answer", v["answer_text"]) == answer)
    for pieces in (v["pieces"], v["pieces"][::-1] + v["pieces"][:1]):
        case("carried: pieces", armour_read("answer", "\n".join(pieces)) == answer)
    refuses("carried: a piece is lacking", armour_read, "answer", v["pieces"][0])
    asked, time_ms, runs = answer_open(answer, bytes.fromhex(v["acceptor"]), secret)
    case("carried: what it answers", asked == digest("sidan/admit", request))
    case("carried: what it brings", time_ms == v["time_ms"] and encode(runs).hex() == v["runs"])
    refuses("carried: another hub", answer_open, answer, bytes(32), secret)
    refuses("carried: another laptop", answer_open, answer, bytes.fromhex(v["acceptor"]), bytes(31) + b"\1")


def test_digests():
    v = load("digests")
    ids = sorted(bytes.fromhex(i) for i in v["ids"])
    case("events digest", digest("sidan/events", b"".join(ids)).hex() == v["events_digest"])
    total = 0
    for row in v["rows"]:
        key, value = bytes.fromhex(row["key"]), bytes.fromhex(row["value"])
        decode(value)
        total += int.from_bytes(digest("sidan/row", b"\x74" + key + value), "big")
    row_sum = (total % 2**256).to_bytes(32, "big")
    case("row sum", row_sum.hex() == v["row_sum"])
    test_views(v, row_sum)


def test_views(v, row_sum):
    roster = decode(bytes.fromhex(v["roster"]))
    need(roster == sorted([feed, sorted(heads)] for feed, heads in roster), "order")
    heads = digest("sidan/views", encode(roster))
    case("roster heads", heads.hex() == v["roster_heads"])
    town, village = (digest("sidan/views", encode([FOLD_VERSION, heads, rows]))
                     for rows in (row_sum, bytes(32)))
    case("views digest", town.hex() == v["views_digest"])
    case("views digest of no rows", village.hex() == v["views_digest_empty"])
    case("views8", digest("sidan/views", town)[:8].hex() == v["views8_town"])
    case("views8 of two scopes", digest("sidan/views", town + village)[:8].hex() == v["views8"])


def shake_hands(v, caller, called):
    """The two messages, with payloads as the vector has them."""
    (first, call), (second, answer) = v
    case("noise: call", caller.call(first) == call)
    case("noise: call read", called.take_call(call) == first)
    case("noise: answer", called.answer(second) == answer)
    case("noise: answer read", caller.take_answer(answer) == second)
    case("noise: hash", caller.hash == called.hash)
    return caller.split(), called.split()


def test_noise():
    for v in load("noise")["vectors"]:
        def field(name, v=v):
            return bytes.fromhex(v[name])
        messages = [(bytes.fromhex(m["payload"]), bytes.fromhex(m["ciphertext"]))
                    for m in v["messages"]]
        caller = pipe.Handshake(field("init_prologue"), field("init_static"),
                                field("init_ephemeral"), field("init_remote_static"))
        called = pipe.Handshake(field("resp_prologue"), field("resp_static"),
                                field("resp_ephemeral"))
        ciphers, others = shake_hands(messages[:2], caller, called)
        if "handshake_hash" in v:
            case("noise: published hash", caller.hash == field("handshake_hash"))
        for i, (payload, sealed) in enumerate(messages[2:]):
            case("noise: sealed", ciphers[i % 2].seal(payload) == sealed)
            case("noise: opened", others[i % 2].open(sealed) == payload)


def test_pipe():
    v = load("pipe")
    prologue = b"sidan/pipe/1" + bytes.fromhex(v["township"])
    packets = [(p, bytes.fromhex(p["body"]), bytes.fromhex(p["line"])) for p in v["packets"]]
    case("pipe: prologue", prologue.hex() == v["prologue"])
    for p, body, line in packets:
        case("pipe: " + p["what"], pipe.packet_write(p["type"], body) == line)
        case("pipe, read: " + p["what"], pipe.packet_read(line[1:-1]) == (p["type"], body))
        refuses("pipe, changed: " + p["what"], pipe.packet_read, line[1:-2] + b"\1")
        refuses("pipe, cut: " + p["what"], pipe.packet_read, line[1:-2])
    secrets = [bytes.fromhex(v[name]) for name in
               ("caller_secret", "caller_ephemeral", "called_secret", "called_ephemeral")]
    caller = pipe.Handshake(prologue, *secrets[:2], transport_key(secrets[2]))
    called = pipe.Handshake(prologue, *secrets[2:])
    ciphers, others = shake_hands([(b"", packets[0][1]), (b"\0", packets[1][1])], caller, called)
    case("pipe: hash", called.hash.hex() == v["hash"])
    for p, body, _ in packets:
        if "content" in p:
            side = not p["what"].startswith("caller")
            case("pipe, sealed: " + p["what"],
                 ciphers[side].seal(bytes.fromhex(p["content"])) == body)
            case("pipe, opened: " + p["what"], others[side].open(body).hex() == p["content"])


def test_sealed():
    v = load("sealed")
    secret, office = bytes.fromhex(v["secret"]), bytes.fromhex(v["office"])
    for item in v["records"]:
        sealed, content = bytes.fromhex(item["sealed"]), bytes.fromhex(item["content"])
        case("sealed: " + item["what"], unseal(secret, sealed) == content)
        case("sealed value: " + item["what"], plain(decode(content)) == item["value"])
        again = seal(office, *decode(content)[1:])
        case("sealed by the second: " + item["what"],
             unseal(secret, again) == content and len(again) == len(sealed))
        refuses("sealed, changed: " + item["what"], unseal, secret, sealed[:-1] + b"x")
        refuses("sealed, cut: " + item["what"], unseal, secret, sealed[:-1])


def test_bundle():
    v = load("bundle")
    township = bytes.fromhex(v["township"])
    for item in v["accept"]:
        name = "bundle: " + item["what"]
        file, secret = bytes.fromhex(item["file"]), bytes.fromhex(item["secret"])
        outside, head, said = accepts(name, bundle.take_apart, file, [secret])
        sender = signing_key(bytes.fromhex(item["from_seed"]))
        signed = bundle.statement(head[1:5], outside, said[1])
        case(name + ", outside", outside.hex() == item["outside"])
        case(name + ", frames", [f.hex() for f in said[1:]] == item["frames"])
        case(name + ", head", head[:2] == [bundle.BUNDLE, township] and head[2] == sender and
             plain(head[3]) == (item["to"] and {"$bin": item["to"]}) and head[4] == item["number"])
        case(name + ", statement", signed.hex() == item["statement"])
        case(name + ", signature", head[5].hex() == item["signature"] and
             verify(sender, "sidan/bundle", signed, head[5]))
        again = bundle.seal(transport_key(secret), lambda _: said)
        case(name + ", by the second", bundle.unseal(again, [secret])[1] == said and
             len(again) == len(file))
    for item in v["refuse"]:
        refuses(f"bundle, {item['what']}", bundle.take_apart, bytes.fromhex(item["file"]),
                [bytes.fromhex(item["secret"])])
    for size, padded in v["padded"]:
        case(f"bundle, size {size}", size + bundle.padded(size) == padded)


def test_specification():
    """Each worked example of SPEC, section 18, is one of the vectors."""
    known = set()
    for name in ("crypto", "feeds", "events", "runs", "frames", "joining", "carried", "sealed",
                 "bundle", "pipe"):
        known.update(walk_texts(load(name)))
    section = (ROOT / "proto/SPEC.md").read_text().split("\n## 18.")[1]
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
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder) / "log")
        test_encoding()
        test_crypto()
        test_feeds()
        test_runs(log, test_events(log))
    test_frames()
    test_joining()
    test_carried()
    test_digests()
    test_sealed()
    test_noise()
    test_pipe()
    test_bundle()
    test_specification()
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
