"""A township of real homes whose clocks stand where the story is: every program runs under faketime,
each village is offline but for the days on which it comes to market, when it syncs with the hub's
daemon on loopback."""

import json
import os
import signal
import socket
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build"))
CHINA = timezone(timedelta(hours=8))
LIMIT_S = 60


def faketime_library():
    for folder in Path("/usr/lib").glob("*/faketime"):
        return str(folder / "libfaketime.so.1")
    raise SystemExit("libfaketime is not installed")


def moment(text):
    """"2022-07-11 09:30" of the office."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CHINA)


def milliseconds(when):
    return int(when.timestamp() * 1000)


class Town:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.now = moment("2022-01-04 09:00")
        self.hub_process = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        (self.folder / "passphrase").write_text("a sentence for the story\n")

    def env(self):
        """The clock starts at `now` and runs; what measures spans of time stays real."""
        stamp = self.now.astimezone(timezone.utc).strftime("@%Y-%m-%d %H:%M:%S")
        return {**os.environ, "LD_PRELOAD": faketime_library(), "FAKETIME": stamp, "TZ": "UTC",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "LC_ALL": "C.UTF-8", "SIDAN_LANG": "zh",
                "SIDAN_PASSPHRASE_FILE": str(self.folder / "passphrase"),
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def run(self, home, *words, given=None, code=0):
        """A command on a home; its output, when it ended with `code`."""
        command = [str(BUILD / "sidan"), "--home", str(self.folder / home), "--no-input",
                   *map(str, words)]
        done = subprocess.run(command, env=self.env(), input=given, text=True, timeout=LIMIT_S,
                              capture_output=True, check=False)
        if done.returncode != code:
            raise AssertionError(f"{self.now:%m-%d %H:%M} {home}: {' '.join(map(str, words))}: "
                                 f"exit {done.returncode}\n{done.stdout[-600:]}{done.stderr[-900:]}")
        return done.stdout

    def json(self, home, *words):
        return json.loads(self.run(home, *words, "--json"))

    def record(self, home, entries):
        """Events by NDJSON in one commit; what was recorded, line by line."""
        entries = list(entries)
        if not entries:
            return []
        given = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        out = self.run(home, "record", "--batch", 4096, given=given)
        return [json.loads(line) for line in out.splitlines()]

    # --- the hub's daemon, on market days only ---

    def hub_open(self):
        log = open(self.folder / "hub.log", "a", encoding="utf-8")
        self.hub_process = subprocess.Popen(
            [str(BUILD / "sidan-node"), "--home", str(self.folder / "hub")], env=self.env(),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        host, port = self.address.removeprefix("tcp://").split(":")
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
                return
            except OSError:
                if time.monotonic() > end or self.hub_process.poll() is not None:
                    raise AssertionError("the hub does not listen") from None
                time.sleep(0.02)

    def hub_close(self):
        if self.hub_process is None:
            return
        self.hub_process.send_signal(signal.SIGTERM)
        try:
            self.hub_process.wait(20)
        except subprocess.TimeoutExpired:
            self.hub_process.kill()
            self.hub_process.wait()
        self.hub_process = None

    def market(self, villages):
        """These villages have a link today, one after the other."""
        self.hub_open()
        try:
            for village in villages:
                self.run(village, "sync", "--timeout", 30)
        finally:
            self.hub_close()

    # --- founding ---

    def found(self, villages):
        lines = (ROOT / "tests/demo/langtang-villages.csv").read_text(encoding="utf-8")
        (self.folder / "villages.csv").write_text(lines, encoding="utf-8")
        self.run("hub", "init", "--township", "琅塘镇", "--villages", self.folder / "villages.csv",
                 "--listen", self.address)
        for village in villages:
            self.run("hub", "invite", village, "-o", self.folder / f"{village}.invite", "--hub",
                     self.address)
        self.hub_open()
        try:
            for village in villages:
                self.run(village, "join", self.folder / f"{village}.invite")
                self.run(village, "sync", "--timeout", 30)
        finally:
            self.hub_close()

    def actor(self, home, name, role, unit):
        return json.loads(self.run(home, "actor", "add", name, "--role", role, "--unit", unit,
                                   "--json"))["subject"]
