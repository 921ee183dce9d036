#!/usr/bin/env python3
"""SIGKILL at any moment: of the command line, of the importer, of both daemons, under load.

  kill.py LAB VILLAGE [--count N] [--seed S] [--seconds S]

After each, what was killed is asked: does all verify, is what was confirmed there? At the end both
daemons run, and both sides come to hold the same. The last line is "N passed, N failed".
"""
import json
import os
import random
import signal
import subprocess
import sys
import time

BUILD = os.environ.get("BUILD", "build")
LAB, VILLAGE = sys.argv[1], sys.argv[2]
OPTIONS = dict(zip(sys.argv[3::2], sys.argv[4::2]))
COUNT, SECONDS = int(OPTIONS.get("--count", 300)), float(OPTIONS.get("--seconds", 60))
SEED = int(OPTIONS.get("--seed", 1))
random.seed(SEED)


def home(node):
    return os.path.join(LAB, "town", node)


def words(node, *more):
    return [os.path.join(BUILD, "sidan"), "--home", home(node), "--no-input", *more]


def sidan(node, *more):
    return subprocess.run(words(node, *more), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60)


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)


def node_start(node):
    return subprocess.Popen([os.path.join(BUILD, "sidan-node"), "--home", home(node)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=open(os.path.join(LAB, node + ".log"), "ab"))


made = 0


def rows(count):
    """A file of so many new requests."""
    global made
    path = os.path.join(LAB, "rows.ndjson")
    with open(path, "w") as f:
        for _ in range(count):
            made += 1
            json.dump({"village": VILLAGE, "received": f"2026-11-2{made % 4} 0{made % 8}:{made % 60:02d}",
                       "channel": "visit", "nature": "help", "category": "0302", "urgency": 1,
                       "name": "村民甲", "content": f"第{made}件"}, f, ensure_ascii=False)
            f.write("\n")
    return path


def requests(node):
    out = sidan(node, "requests", "-n", "100000", "--all", "--json")
    return len(json.loads(out.stdout)["requests"]) if out.returncode == 0 else -1


def verify(node):
    out = sidan(node, "verify", "--json")
    return json.loads(out.stdout) if out.returncode == 0 else None


def scopes(node):
    told = verify(node)
    return {s["scope"]: (s["events_digest"], s["views_digest"]) for s in told["scopes"]} if told else {}


def agree():
    village, hub = scopes(VILLAGE), scopes("hub")
    return bool(village) and all(hub.get(s) == d for s, d in village.items())


def work():
    """What a person does while daemons are killed; gives how many were confirmed."""
    count = random.randint(1, 12)
    done = sidan(VILLAGE, "import", rows(count), "--as", "requests")
    return count if done.returncode == 0 else 0


def main():
    end = time.time() + SECONDS
    nodes = {"hub": node_start("hub"), VILLAGE: node_start(VILLAGE)}
    confirmed, passed, failed = requests(VILLAGE), 0, 0
    kinds = {"import": 0, "sync": 0, "daemon": 0, "hub": 0}
    midway = 0
    while passed + failed < COUNT and time.time() < end and failed < 5:
        kind = random.choice(list(kinds))
        victim = "hub" if kind == "hub" else VILLAGE
        if kind in ("import", "sync"):
            count = random.randint(1, 60)
            path = rows(count)
            command = ["import", path, "--as", "requests"] if kind == "import" else \
                ["sync", "--timeout", "5"]
            p = start(words(VILLAGE, *command))
            time.sleep(random.expovariate(1 / 0.03))
            p.kill()
            p.communicate()
            midway += p.returncode == -signal.SIGKILL
            confirmed += count if kind == "import" and p.returncode == 0 else 0
        else:
            confirmed += work()
            time.sleep(random.expovariate(1 / 0.05))
            nodes[victim].kill()
            midway += nodes[victim].wait() == -signal.SIGKILL
        kinds[kind] += 1
        told, held = verify(victim), requests(VILLAGE)
        if told and held >= confirmed:
            passed += 1
        else:
            failed += 1
            print(f"BAD {kind} was killed: verify {'is good' if told else 'fails'}, {held} requests, "
                  f"{confirmed} confirmed\n  again: tests/fault/run kill link --seed {SEED}",
                  flush=True)
        confirmed = max(confirmed, held)
        if kind in ("daemon", "hub"):
            nodes[victim] = node_start(victim)
    for _ in range(60):
        if agree():
            break
        sidan(VILLAGE, "sync", "--timeout", "5")
        time.sleep(0.5)
    else:
        failed += 1
        print("BAD at the end the village and the hub do not agree")
    held = requests("hub")
    if held < confirmed:
        failed += 1
        print(f"BAD the hub holds {held} requests, {confirmed} were confirmed")
    for p in nodes.values():
        p.terminate()
        p.wait(20)
    print("killed:", ", ".join(f"{k} {v}" for k, v in kinds.items()),
          f"; {midway} in the middle; {confirmed} requests, all there and at the hub")
    if min(kinds.values()) == 0 or midway < COUNT // 10:
        failed += 1
        print("FAILED: a kind of kill did not happen")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
