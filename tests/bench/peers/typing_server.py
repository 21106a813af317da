"""weft's daemon beside llama.cpp's server on the same typing: `make bench-typing-peers`.

    typing_server.py MODELS-FOLDER --weft build/release/bin/weft --server VENV/bin/llama-server --json FILE

weft plays recorded traces with the int8 model and says which prompts (token ids) it gave to its engine and when, and how
many tokens came of each. llama.cpp's server gets the very same prompts at the very same moments, is asked for as many
tokens, keeps what it cached (cache_prompt), and loses a request whose successor comes first, as an editor would drop it.
Rounds alternate. Compared is the time to the first token, over the prompts for which both got that far, and to the last,
over those that both finished. weft's is what its engine took; `weft, key to suggestion` adds all that the daemon does
around it.
"""

import argparse
import json
import pathlib
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CONTEXT = 4096
PATIENCE_S = 60  # for one answer, and for the server to load


class Server:
    """llama.cpp's server on one port of this machine."""

    def __init__(self, binary, model, threads, log):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [binary, "--model", model, "--threads", str(threads), "--threads-batch", str(threads), "--ctx-size", str(CONTEXT),
             "--parallel", "1", "--host", "127.0.0.1", "--port", str(self.port)], stdout=log, stderr=log)

    def wait(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit("llama.cpp's server does not start (its log is beside the JSON file)")
            try:
                if self.healthy(end):
                    return
            except OSError:
                pass
            time.sleep(0.2)
        sys.exit("llama.cpp's server is not ready")

    def begin(self, request):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        connection.sendall(request)
        return connection

    def complete(self, prompt, tokens, until):
        """Seconds to the first token and to the last, how many were generated, and how many of the prompt were computed.
        None for what did not come before `until`, when the connection is closed and the server stops."""
        body = json.dumps({"prompt": prompt, "n_predict": tokens, "cache_prompt": True, "temperature": 0,
                           "ignore_eos": True, "id_slot": 0, "stream": True}).encode()
        head = f"POST /completion HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n" \
               f"Content-Length: {len(body)}\r\n\r\n"
        started = time.monotonic()
        out = {"first_s": None, "last_s": None, "generated": 0, "prefilled": None}
        said = b""
        with self.begin(head.encode() + body) as connection:
            for chunk in self.chunks(connection, until):
                said += chunk
                if out["first_s"] is None and b"data:" in said:
                    out["first_s"] = time.monotonic() - started
            if b" 200 " not in said[:20] and said:
                sys.exit(f"llama.cpp's server answered: {said[:300]!r}")
        for event in said.split(b"data: ")[1:]:
            event = json.loads(event[:event.rindex(b"}") + 1])
            if event.get("stop"):
                out.update(last_s=time.monotonic() - started, generated=event["timings"]["predicted_n"],
                           prefilled=event["timings"]["prompt_n"])
        return out

    @staticmethod
    def chunks(connection, until):
        """What arrives, until the end or `until`."""
        while True:
            left = until - time.monotonic()
            if left <= 0 or not select.select([connection], [], [], left)[0]:
                return
            chunk = connection.recv(1 << 16)
            if not chunk:
                return
            yield chunk

    def healthy(self, until):
        with self.begin(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as connection:
            return b" 200 " in b"".join(self.chunks(connection, until))[:20]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def play_weft(options, traces):
    """The prompts with what they took, and the report."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as dumped:
        command = [options.weft, "bench", "typing", "--model", options.models / "hf", "--weights", "int8", "--threads",
                   options.threads, "--keys", options.keys, "--speed", options.speed, "--dump-prompts", dumped.name, "--json"]
        for trace in traces:
            command += ["--trace", trace]
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
        prompts = [json.loads(line) for line in dumped.read().decode().splitlines()]
    return prompts, json.loads(done.stdout)


def play_llama(server, prompts):
    """What it took for each prompt. One that weft was not let finish is asked for as many tokens as it was at, so that the
    server is as busy as weft was."""
    begin = time.monotonic() - prompts[0]["at_ms"] / 1000
    out = []
    for i, prompt in enumerate(prompts):
        due = begin + prompt["at_ms"] / 1000
        until = begin + prompts[i + 1]["at_ms"] / 1000 if i + 1 < len(prompts) else due + PATIENCE_S
        time.sleep(max(0, due - time.monotonic()))
        out.append(server.complete(prompt["prompt"], max(1, prompt["generated"]), until))
    return out


def pairs(prompts, answers):
    """What both did, in milliseconds; "last" and "prefilled" are missing where one was not let finish."""
    for prompt, answer in zip(prompts, answers):
        if not prompt["computed"] or answer["first_s"] is None:
            continue
        first_ms = prompt["queue_ms"] + prompt["prefill_ms"]
        pair = {"tokens": prompt["generated"], "first": {"weft": first_ms, "llama.cpp": answer["first_s"] * 1000}}
        if prompt["finished"] and answer["last_s"] is not None and answer["generated"] == prompt["generated"]:
            pair["last"] = {"weft": first_ms + prompt["decode_ms"], "llama.cpp": answer["last_s"] * 1000}
            pair["prefilled"] = {"weft": prompt["prefilled"], "llama.cpp": answer["prefilled"]}
        yield pair


def spread(values):
    ordered = sorted(values)
    return {"p50": statistics.median(ordered), "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]}


def summary(compared, reports):
    out = {"weft, key to suggestion": reports[-1]["key_to_suggestion_ms"]["computed"]}
    for what in ("first", "last", "prefilled"):
        rows = [pair[what] for pair in compared if what in pair]
        if not rows:
            continue
        out[what] = {"prompts": len(rows)} | {peer: spread([row[peer] for row in rows]) for peer in ("weft", "llama.cpp")}
        out[what]["times as fast"] = statistics.median(row["llama.cpp"] / max(row["weft"], 0.01) for row in rows)
    return out


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=pathlib.Path, help="what make_models.py made")
    parser.add_argument("--weft", default="build/release/bin/weft")
    parser.add_argument("--server", required=True, help="llama.cpp's, as setup.sh builds it")
    parser.add_argument("--gguf", default="q8_0.gguf", help="of the models' folder")
    parser.add_argument("--trace", action="append", help="of weft bench typing (default: textwrap)")
    parser.add_argument("--keys", type=int, default=120, help="of each editor")
    parser.add_argument("--speed", type=float, default=1, help="of the typing; less than 1 on a slow machine")
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def main():
    options = parse()
    compared, reports = [], []
    with open(options.json.with_suffix(".log"), "w") as log:
        server = Server(options.server, options.models / options.gguf, options.threads, log)
        try:
            server.wait()
            for at in range(options.rounds):
                prompts, report = play_weft(options, options.trace or ["textwrap"])
                answers = play_llama(server, prompts)
                reports.append(report)
                compared += pairs(prompts, answers)
                print(f"round {at + 1} of {options.rounds}: {len(prompts)} prompts, {len(compared)} begun by both so far",
                      file=sys.stderr, flush=True)
        finally:
            server.stop()
    if not compared:
        sys.exit("no prompt got its first token from both: give --keys or another --trace")
    result = summary(compared, reports)
    options.json.write_text(json.dumps({"summary": result, "prompts": compared}, indent=1))
    for what in ("first", "last"):
        if row := result.get(what):
            print(f"to the {what} token, ms (p50 / p95) of {row['prompts']} prompts: "
                  f"weft {row['weft']['p50']:.0f} / {row['weft']['p95']:.0f}, llama.cpp's server "
                  f"{row['llama.cpp']['p50']:.0f} / {row['llama.cpp']['p95']:.0f}: {row['times as fast']:.2f} times as fast")


if __name__ == "__main__":
    main()
