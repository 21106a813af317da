"""weft beside llama.cpp and OpenVINO GenAI on this machine: `make bench-peers`. Every peer is a child process that speaks
protocol.py; all are loaded, and take turns within each operation, with a probe of the machine before and after a turn,
because what a shared machine gives changes from minute to minute.

    compare.py MODELS-FOLDER --weft build/release/bin/weft --json FILE --document docs/performance.md
"""

import argparse
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys

import report

HERE = pathlib.Path(__file__).parent
OPERATIONS = {
    "prefill 512, tok/s": {"op": "prefill", "n": 512},
    "prefill 2048": {"op": "prefill", "n": 2048},
    "decode 64 after 512, tok/s": {"op": "decode", "ctx": 512, "new": 64},
    "decode 64 after 2048": {"op": "decode", "ctx": 2048, "new": 64},
    "keystroke 2048 + 4, ms": {"op": "keystroke", "ctx": 2048, "add": 4, "count": 16},
}
CONTEXT = 4096  # tokens that a peer must have room for


class Worker:
    """A child process that answers line by line."""

    def __init__(self, name, command, log):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.info = None

    def start(self):
        """Waits until it is loaded. False, with a message, where it is not to be had."""
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            print(f"{self.name}: left out, it does not start (its log is beside the JSON file)", file=sys.stderr)
            return False
        self.info = json.loads(line)["info"]
        return True

    def ask(self, request):
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"{self.name} died of {json.dumps(request)} (its log is beside the JSON file)")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def commands(options):
    """Name and command line of each peer whose model was made."""
    python, threads, models = sys.executable, str(options.threads), options.models
    for bits in (8, 4):
        command = [options.weft, "bench", "worker", "--model", models / "hf", "--weights", f"int{bits}",
                   "--threads", threads]
        yield f"weft int{bits}", command, pathlib.Path(options.weft).exists()
    for name in ("q8_0", "q4_0"):
        path = models / f"{name}.gguf"
        yield f"llama.cpp {name.upper()}", [python, HERE / "worker_llama_cpp.py", path, threads, str(CONTEXT)], path.exists()
    for bits in (8, 4):
        path = models / f"openvino-int{bits}"
        yield f"OpenVINO int{bits}", [python, HERE / "worker_openvino.py", path, threads], path.exists()


def start_all(options, log):
    workers = []
    for name, command, there in commands(options):
        if not there:
            print(f"{name}: left out, it is not built", file=sys.stderr)
            continue
        worker = Worker(name, [str(part) for part in command], log)
        if worker.start():
            workers.append(worker)
    return workers


def take_turns(workers, probe, rounds):
    """One after the other within each operation; each round begins with another one."""
    turns = []
    for at in range(rounds):
        for operation, request in OPERATIONS.items():
            for i in range(len(workers)):
                worker = workers[(at + i) % len(workers)]
                before = probe.ask({"op": "probe"})["s"]
                answer = worker.ask(request)
                turns.append({"round": at, "peer": worker.name, "operation": operation, **answer,
                              "probes": [before, probe.ask({"op": "probe"})["s"]]})
                print(f"round {at + 1} of {rounds}: {operation}: {worker.name}: {report.typical(turns[-1]):.3f} s",
                      file=sys.stderr, flush=True)
    return turns


def machine():
    """The processor and what it has for products."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", text)
    flags = set(re.search(r"flags\s*: (.*)", text).group(1).split())
    has = [flag for flag in ("avx2", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8") if flag in flags]
    return f"{name.group(1) if name else 'a processor'} ({', '.join(has) or 'none of the known instruction sets'})"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=pathlib.Path, help="what make_models.py made; its name is the model's")
    parser.add_argument("--weft", default="build/release/bin/weft")
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--document", type=pathlib.Path, help="a Markdown file with the model's markers")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def main():
    options = parse()
    options.json.parent.mkdir(parents=True, exist_ok=True)
    with open(options.json.with_suffix(".log"), "w", encoding="utf-8") as log:
        workers = start_all(options, log)
        probe = Worker("probe", [sys.executable, HERE / "worker_probe.py", str(options.threads)], log)
        if not workers or not probe.start():
            sys.exit("no peer started")
        turns = take_turns(workers, probe, options.rounds)
        for worker in [*workers, probe]:
            worker.stop()
    versions = [f"{package} {importlib.metadata.version(package)}" for package in ("llama-cpp-python", "openvino-genai")]
    result = {"model": options.models.name, "machine": machine(), "threads": options.threads, "rounds": options.rounds,
              "versions": ", ".join(versions), "operations": OPERATIONS,
              "peers": {worker.name: worker.info for worker in workers}, "turns": turns}
    options.json.write_text(json.dumps(result, indent=1))
    text = report.markdown(result)
    print(text)
    if options.document:
        document = options.document.read_text(encoding="utf-8")
        options.document.write_text(report.replace_between(document, result["model"], text), encoding="utf-8")


if __name__ == "__main__":
    main()
