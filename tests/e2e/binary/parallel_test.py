"""weftd and weft with their model split over processes: the same text, and nobody left behind however a rank ends."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import unittest

from client import Client

SKIPPED = 77
LIMIT_S = 5  # within which a death is noticed
PATIENCE_S = 60
WEFTD = WEFT = ""
MODEL = pathlib.Path()


def ranks_of(process):
    """The processes that a rank 0 has started and not waited for."""
    found = []
    for thread in pathlib.Path(f"/proc/{process}/task").iterdir():
        found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def is_alive(process):
    try:
        return (pathlib.Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it is opened, or between that and the read
        return False


def sums_exactly():
    """In bf16 the shares of a sum are rounded before they are added, and a close call may go the other way."""
    report = subprocess.run([WEFT, "doctor", "--json", "--model", str(MODEL)], capture_output=True, text=True,
                            timeout=PATIENCE_S, check=False)
    return json.loads(report.stdout)["model"]["dtype"] == "fp32"


def wait_until(true, limit_s):
    end = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "textwrap.py"
        self.text = self.path.read_text()
        self.lines = self.text.splitlines()
        self.places = [(i, line.index(" = ") + 3) for i, line in enumerate(self.lines)
                       if line.isascii() and line.startswith(" " * 8 + "self.") and " = " in line]
        self.assertGreater(len(self.places), 7)

    def start(self, *arguments, **environment):
        client = Client(WEFTD, "--model", MODEL, *arguments, TMPDIR=str(self.folder), **environment)
        self.addCleanup(client.close)
        return client

    def start_ready(self, *arguments, **environment):
        client = self.start(*arguments, **environment)
        client.initialize()
        client.open(self.path.as_uri(), self.text)
        self.assertTrue(wait_until(lambda: client.ask("weft/status")["result"]["state"] != "loading", PATIENCE_S))
        self.assertEqual(client.ask("weft/status")["result"]["state"], "ready")
        return client

    def typed(self, place):
        """The file as it is while someone types at the place: nothing behind it on its line."""
        line, column = place
        return "\n".join([*self.lines[:line], self.lines[line][:column], *self.lines[line + 1:]])

    def ask(self, client, place):
        client.version = getattr(client, "version", 1) + 1
        client.notify("textDocument/didChange", {
            "textDocument": {"uri": self.path.as_uri(), "version": client.version},
            "contentChanges": [{"text": self.typed(place)}]})
        return client.answer(client.inline(self.path.as_uri(), *place))["result"]

    def offered(self, client, place):
        """The first line of what is offered: how many follow depends on the time that there was."""
        return [item["insertText"].splitlines()[0] for item in self.ask(client, place)["items"]]

    def check_nothing_is_left(self, ranks):
        self.assertTrue(wait_until(lambda: not any(map(is_alive, ranks)), LIMIT_S), ranks)
        self.assertEqual(list(self.folder.glob("weft-ranks*")), [])
        self.assertEqual(list(pathlib.Path("/dev/shm").glob("weft-ranks*")), [])


class Daemon(Case):
    def test_offers_the_text_of_one_process_and_ends_with_its_ranks(self):
        one, four = self.start_ready(), self.start_ready("--tensor-parallel", "4")
        self.assertIn("4 ranks", four.ask("weft/status")["result"]["model"]["device"])
        ranks = ranks_of(four.process.pid)
        self.assertEqual(len(ranks), 3)
        for place in self.places[:8]:
            with self.subTest(place):
                text, expected = self.offered(four, place), self.offered(one, place)
                if sums_exactly():
                    self.assertEqual(text, expected)
        one.stop()
        self.assertEqual(four.stop(), 0)
        self.assertEqual(four.stray, b"")
        self.check_nothing_is_left(ranks)

    def test_a_killed_rank_is_replaced(self):
        client = self.start_ready("--tensor-parallel", "2")
        first = self.offered(client, self.places[0])
        (killed,) = ranks_of(client.process.pid)
        os.kill(killed, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: not is_alive(killed), LIMIT_S))
        self.ask(client, self.places[1])  # nothing where a step was under way, else the answer of the new group
        self.ask(client, self.places[2])  # the new group's at the latest: the next one may be remembered
        self.assertEqual(self.offered(client, self.places[0]), first)
        ranks = ranks_of(client.process.pid)
        self.assertEqual(len(ranks), 1)
        self.assertNotEqual(ranks, [killed])
        self.assertEqual(client.stop(), 0)
        self.assertIn(b"was ended by signal 9", client.log)
        self.check_nothing_is_left(ranks)

    def test_no_rank_outlives_a_killed_daemon(self):
        client = self.start_ready("--tensor-parallel", "4")
        ranks = ranks_of(client.process.pid)
        client.process.kill()
        client.wait()
        self.check_nothing_is_left(ranks)

    def test_no_rank_outlives_a_daemon_that_is_killed_while_loading(self):
        client = self.start("--tensor-parallel", "4")
        client.initialize()
        self.assertTrue(wait_until(lambda: ranks_of(client.process.pid), PATIENCE_S))
        ranks = ranks_of(client.process.pid)
        client.process.kill()
        client.wait()
        self.check_nothing_is_left(ranks)

    def test_signals_end_all(self):
        client = self.start_ready("--tensor-parallel", "2")
        ranks = ranks_of(client.process.pid)
        client.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.wait(), 0)
        self.check_nothing_is_left(ranks)

    def test_a_model_that_cannot_be_split_is_said_once(self):
        client = self.start("--tensor-parallel", "3")
        client.initialize()
        message = client.notification("window/showMessage")["params"]["message"]
        self.assertIn("4 attention heads do not divide evenly; 1, 2, 4 would do", message)
        self.assertEqual(client.stop(), 0)

    def test_wrong_usage_is_2(self):
        for number in ("0", "65", "two"):
            result = subprocess.run([WEFTD, "--tensor-parallel", number], capture_output=True, timeout=PATIENCE_S,
                                    stdin=subprocess.DEVNULL)
            self.assertEqual(result.returncode, 2)


class Launched(Case):
    """Every rank started by someone else, with the environment that torchrun gives."""

    def environment(self, rank):
        return {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "localhost",
                "MASTER_PORT": str(os.getpid()), "XDG_RUNTIME_DIR": str(self.folder)}

    def test_ranks_meet_and_end_together(self):
        other = subprocess.Popen([WEFTD, "--model", str(MODEL), "--tensor-parallel", "2"], stdin=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=os.environ | self.environment(1))
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        client = self.start_ready("--tensor-parallel", "2", **self.environment(0))
        self.assertEqual(ranks_of(client.process.pid), [])
        self.assertIsInstance(self.offered(client, self.places[0]), list)
        self.assertEqual(client.stop(), 0)
        self.assertIsNotNone(other.wait(timeout=LIMIT_S))
        self.check_nothing_is_left([other.pid])

    def test_another_number_of_ranks_is_refused(self):
        client = self.start("--tensor-parallel", "4", **self.environment(0))
        client.initialize()
        self.assertIn("WORLD_SIZE says 2", client.notification("window/showMessage")["params"]["message"])
        client.stop()


class Command(Case):
    def complete(self, place, ranks):
        line, column = place
        path = self.folder / "typed.py"
        path.write_text(self.typed(place))
        result = subprocess.run(
            [WEFT, "complete", f"{path}:{line + 1}:{column + 1}", "--model", str(MODEL), "--json",
             "--tensor-parallel", str(ranks)],
            capture_output=True, text=True, timeout=PATIENCE_S, env=os.environ | {"TMPDIR": str(self.folder)})
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def test_the_same_text_from_any_number_of_ranks(self):
        for place in self.places[:2]:
            one = self.complete(place, 1)
            for ranks in (2, 4):
                split = self.complete(place, ranks)
                self.assertGreater(split["tokens"]["generated"], 0)
                if sums_exactly():
                    self.assertEqual(split["tokens"], one["tokens"])
                    self.assertEqual(split.get("reason"), one.get("reason"))
                    self.assertEqual([item["text"] for item in split["items"]], [item["text"] for item in one["items"]])
        self.check_nothing_is_left([])


def main():
    global WEFTD, WEFT, MODEL
    parser = argparse.ArgumentParser()
    parser.add_argument("--weftd", required=True)
    parser.add_argument("--weft", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    WEFTD, WEFT, MODEL = arguments.weftd, arguments.weft, arguments.model
    if not (MODEL / "model.safetensors").is_file():
        print(f"no default model in {MODEL}", file=sys.stderr)
        return SKIPPED
    suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, (Daemon, Launched, Command)))
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
