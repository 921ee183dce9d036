#!/usr/bin/env python3
"""The n-th call fails: n = 1, 2, 3 ... until the command makes fewer.

  nth.py LAB VILLAGE [--seconds S] [--again TEXT] [--case SCENE:CALL:ERROR:N]

LAB/town is a township whose hub runs. Each case begins with the homes as they were, runs one command
with fail.so, and asks afterwards, without it: does all verify, is what was confirmed there, was a
refusal a sentence and an exit code? The last line is "N passed, N failed".
"""
import errno
import json
import os
import subprocess
import sys
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
LAB, VILLAGE = sys.argv[1], sys.argv[2]
TOWN = os.path.join(LAB, "town")
OPTIONS = dict(zip(sys.argv[3::2], sys.argv[4::2]))
SECONDS = float(OPTIONS.get("--seconds", 60))
HIT = os.path.join(LAB, "hit")
CWD = os.path.join(LAB, "cwd")  # where commands stand; nothing of theirs belongs here

# What each call may answer; 0: it does less than it was asked.
CALLS = {
    "fsync": [errno.EIO, errno.ENOSPC],
    "pwrite": [errno.ENOSPC, errno.EIO, 0],
    "full": [errno.ENOSPC],
    "rename": [errno.EIO, errno.ENOSPC],
    "write": [errno.ENOSPC, errno.EIO, errno.EINTR, 0],
    "open": [errno.EMFILE, errno.EIO],
    "mmap": [errno.ENOMEM],
    "read": [errno.EIO, errno.EINTR, 0],
    "malloc": [errno.ENOMEM],
}
NAMES = {code: errno.errorcode.get(code, "SHORT") for code in range(200)}


def home(node):
    return os.path.join(TOWN, node)


def sidan(node, *words, **env):
    return subprocess.run(
        [os.path.join(BUILD, "sidan"), "--home", home(node), "--no-input", *words],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, cwd=CWD,
        env={**os.environ, "SIDAN_LANG": "en", **env})


# --- homes as they were, in the same files: a copy would be one ---

def snapshot(node):
    kept = {}
    for folder, _, files in os.walk(home(node)):
        for name in files:
            path = os.path.join(folder, name)
            if name not in ("lock.mdb", "reserve"):
                with open(path, "rb") as f:
                    kept[path] = f.read()
    return kept


def put_back(node, kept):
    for folder, _, files in os.walk(home(node)):
        for name in files:
            path = os.path.join(folder, name)
            if path not in kept and name not in ("lock.mdb", "reserve"):
                os.unlink(path)
    for path, content in kept.items():
        with open(path, "r+b" if os.path.exists(path) else "wb") as f:
            if f.read() == content if "+" in f.mode else False:
                continue
            f.seek(0)
            f.write(content)
            f.truncate()
        os.chmod(path, 0o600)


# --- scenes: a command, and how many requests it makes where it says that it went well ---

def count(node):
    out = sidan(node, "requests", "-n", "1000", "--all", "--json")
    return len(json.loads(out.stdout)["requests"]) if out.returncode == 0 else -1


def scene_record(**env):
    return sidan(VILLAGE, "import", os.path.join(LAB, "one.ndjson"), "--as", "requests", **env)


def scene_rotate(**env):
    return sidan(VILLAGE, "rotate", "device", **env)


def scene_bundle(**env):
    return sidan(VILLAGE, "bundle", "export", "-o", os.path.join(LAB, "stick"), "--json", **env)


def scene_config(**env):
    return sidan(VILLAGE, "config", "set", "retry_min_s", "1", **env)


SCENES = {"record": (scene_record, 1), "bundle": (scene_bundle, 0), "rotate": (scene_rotate, 0),
          "config": (scene_config, 0)}


def judge(done, before, more, call):
    """What is wrong, or nothing."""
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    text = done.stderr.decode(errors="replace")
    if done.returncode != 0 and len(text.strip()) < 10:
        return f"exit {done.returncode} without a sentence: {done.stdout.decode(errors='replace')[:200]!r} {text!r}"
    for name in os.listdir(CWD):
        os.unlink(os.path.join(CWD, name))
        return f"wrote {name} where it stood, exit {done.returncode}"
    if "ERR_" in text or "Assertion" in text:
        return "raw message: " + text.strip()[:120]
    full = {} if call != "full" else {
        "LD_PRELOAD": f"{BUILD}/fault/fail.so", "FAIL_CALL": "full",
        "FAIL_AT": "1", "FAIL_ERRNO": str(errno.ENOSPC), "FAIL_FROM": "liblmdb"}
    if full and sidan(VILLAGE, "requests", **full).returncode != 0:
        return "on a full disk nothing is read"
    check = sidan(VILLAGE, "verify", "--json")
    if check.returncode != 0:
        return f"verify: exit {check.returncode}: {check.stdout.decode()[:700]} {check.stderr.decode(errors='replace')[:160]}"
    after = count(VILLAGE)
    if after not in ([before + more] if done.returncode == 0 else [before, before + more]):
        return f"{after} requests, {before} before, exit {done.returncode}"
    return None


def one(scene, call, code, n, kept, before):
    run, more = SCENES[scene]
    put_back(VILLAGE, kept)
    if os.path.exists(HIT):
        os.unlink(HIT)
    try:
        done = run(LD_PRELOAD=f"{BUILD}/fault/fail.so", FAIL_CALL=call,
                   FAIL_AT=str(n), FAIL_ERRNO=str(code), FAIL_FROM="liblmdb", FAIL_HIT=HIT)
    except subprocess.TimeoutExpired:
        return True, "no end within a minute", 0
    return os.path.exists(HIT), judge(done, before, more, call), done.returncode


def main():
    with open(os.path.join(LAB, "one.ndjson"), "w") as f:
        json.dump({"village": VILLAGE, "received": "2026-11-20 09:01", "channel": "visit",
                   "nature": "help", "category": "0302", "urgency": 1, "name": "村民甲",
                   "content": "路灯不亮"}, f, ensure_ascii=False)
    os.makedirs(os.path.join(LAB, "stick"), exist_ok=True)
    os.makedirs(CWD, exist_ok=True)
    kept, before = snapshot(VILLAGE), count(VILLAGE)
    cases = [(s, c, e) for c in CALLS for s in SCENES for e in CALLS[c]]
    first = 1
    if "--case" in OPTIONS:
        s, c, e, n = OPTIONS["--case"].split(":")
        cases, first = [(s, c, int(e))], int(n)
    end, passed, failed, cut = time.time() + SECONDS, 0, 0, []
    hits = dict.fromkeys(CALLS, 0)
    refused = 0
    for index, (scene, call, code) in enumerate(cases):
        # Each gets its share of what is left, so that all of them are seen.
        until = time.time() + (end - time.time()) / (len(cases) - index) * 4
        n = first
        while True:
            hit, why, exit_code = one(scene, call, code, n, kept, before)
            if why:
                failed += 1
                print(f"BAD {scene}: {call} number {n} fails with {NAMES[code]}: {why}\n"
                      f"  again: {OPTIONS.get('--again', 'nth.py')} --case {scene}:{call}:{code}:{n}",
                      flush=True)
            elif hit:
                passed += 1
                refused += exit_code != 0
            hits[call] += hit
            if not hit or "--case" in OPTIONS or failed > 20:
                break
            n += 1
            if time.time() > min(until, end):
                cut.append(f"{scene}:{call}:{NAMES[code]} at {n}")
                break
    put_back(VILLAGE, kept)
    print("calls that failed:", ", ".join(f"{k} {v}" for k, v in hits.items()), f"; {refused} told")
    if cut:
        print(f"not to the end in {SECONDS:.0f} s:", ", ".join(cut))
    if "--case" not in OPTIONS and (min(hits.values()) == 0 or refused == 0):
        print("FAILED: a kind of failure did not happen")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
