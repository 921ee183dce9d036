"""What a hub signs of the town's feeds, and when two statements cannot both be true: SPEC 10.17."""

from frame import heads_digest
from wire import digest, encode, verify


def town_body(township, frame):
    """What a TOWN frame's signature is over: all that stands before it, and the township."""
    return encode([township] + frame[1:6])


def town_verify(township, key, frame):
    body = digest("sidan/town", town_body(township, frame))
    return verify(key, "sidan/town", body, frame[6])


def follows(before, after):
    """Could a store that had the heads `before` have those of `after` later?"""
    return all([f, seq, i] in after or any(g == f and n > seq for g, n, _ in after)
               for f, seq, i in before)


def contradict(a, b):
    """Two TOWN frames of one hub with their heads, nobody's feed being cut by a revocation."""
    a, b = sorted((a, b), key=lambda frame: frame[3])
    if a[2] != b[2]:
        return b[2] in a[4] and a[2] in b[4]
    if a[3] == b[3]:
        return a[5] != b[5]
    return not follows(a[7], b[7])


def is_proof(township, a, b):
    """Two statements of one hub, each with the key that signed it, that cannot both be true."""
    (key_a, frame_a), (key_b, frame_b) = a, b
    return (frame_a[1] == frame_b[1]
            and all(heads_digest(f[7]) == f[5] for f in (frame_a, frame_b))
            and town_verify(township, key_a, frame_a) and town_verify(township, key_b, frame_b)
            and contradict(frame_a, frame_b))
