"""weft's daemon beside llama.cpp's server on the same typing: `make bench-typing-peers`.

    typing_server.py MODELS-FOLDER --weft build/release/bin/weft --server VENV/bin/llama-server --json FILE

weft plays recorded traces with the int8 model and says which prompts (token ids) it gave to its engine and when, and how
many tokens came of each. llama.cpp's server gets the very same prompts at the very same moments, is asked for as many
tokens, keeps what it cached (cache_prompt), and loses a request whose successor comes first, as an editor would drop it.
Rounds alternate. Compared are the prompts that both finished: time to the first token (prefill, and waiting for it), and
to the last. `weft` is what its engine took; `weft, key to suggestion` adds all that the daemon does around it.
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
                if self.finish(self.begin(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), end)[0] == 200:
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
        """The answer, or None where `until` came first; the server stops then."""
        body = json.dumps({"prompt": prompt, "n_predict": tokens, "cache_prompt": True, "temperature": 0,
                           "ignore_eos": True, "id_slot": 0}).encode()
        head = f"POST /completion HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n" \
               f"Content-Length: {len(body)}\r\n\r\n"
        answer = self.finish(self.begin(head.encode() + body), until)
        if answer is None:
            return None
        if answer[0] != 200:
            sys.exit(f"llama.cpp's server answered {answer[0]}: {answer[1][:300]!r}")
        return json.loads(answer[1])

    @staticmethod
    def finish(connection, until):
        with connection:
            said = b""
            while True:
                left = until - time.monotonic()
                if left <= 0 or not select.select([connection], [], [], left)[0]:
                    return None
                chunk = connection.recv(1 << 16)
                if not chunk:
                    break
                said += chunk
        head, _, body = said.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            body = dechunk(body)
        return int(head.split()[1]), body

    def stop(self):
        self.process.terminate()
        self.process.wait()


def dechunk(body):
    out = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        out, body = out + body[:count], body[count + 2:]
    return out


def play_weft(options, traces):
    """The prompts with what they took, and the report."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as dumped:
        command = [options.weft, "bench", "typing", "--model", options.models / "hf", "--weights", "int8", "--threads",
                   options.threads, "--keys", options.keys, "--dump-prompts", dumped.name, "--json"]
        for trace in traces:
            command += ["--trace", trace]
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE)
        prompts = [json.loads(line) for line in dumped.read().decode().splitlines()]
    return prompts, json.loads(done.stdout)


def play_llama(server, prompts):
    """For each prompt its milliseconds, or None where the next one came first. A prompt that weft was not let finish is
    asked for as many tokens as it was at, so that the server is as busy as weft was."""
    begin = time.monotonic() - prompts[0]["at_ms"] / 1000
    out = []
    for i, prompt in enumerate(prompts):
        due = begin + prompt["at_ms"] / 1000
        until = begin + prompts[i + 1]["at_ms"] / 1000 if i + 1 < len(prompts) else due + PATIENCE_S
        time.sleep(max(0, due - time.monotonic()))
        started = time.monotonic()
        answer = server.complete(prompt["prompt"], max(1, prompt["generated"]), until)
        total_ms = (time.monotonic() - started) * 1000
        out.append(answer and {"total_ms": total_ms, "predicted_ms": answer["timings"]["predicted_ms"],
                               "predicted": answer["timings"]["predicted_n"], "prefilled": answer["timings"]["prompt_n"]})
    return out


def pairs(prompts, answers):
    """What both finished, in milliseconds to the first and to the last token."""
    for prompt, answer in zip(prompts, answers):
        if not prompt["computed"] or answer is None or answer["predicted"] != prompt["generated"]:
            continue
        first = prompt["queue_ms"] + prompt["prefill_ms"]
        # The server counts the first token to the prompt; what it generates afterwards are the others.
        yield {"tokens": prompt["generated"], "prefilled": {"weft": prompt["prefilled"], "llama.cpp": answer["prefilled"]},
               "first": {"weft": first, "llama.cpp": answer["total_ms"] - answer["predicted_ms"]},
               "last": {"weft": first + prompt["decode_ms"], "llama.cpp": answer["total_ms"]}}


def spread(values):
    ordered = sorted(values)
    return {"p50": statistics.median(ordered), "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]}


def summary(compared, reports):
    out = {"prompts": len(compared), "tokens_p50": statistics.median(pair["tokens"] for pair in compared),
           "weft, key to suggestion": reports[-1]["key_to_suggestion_ms"]["computed"]}
    for what in ("first", "last", "prefilled"):
        out[what] = {peer: spread([pair[what][peer] for pair in compared]) for peer in ("weft", "llama.cpp")}
    for what in ("first", "last"):
        out[what]["times as fast"] = statistics.median(pair[what]["llama.cpp"] / max(pair[what]["weft"], 0.01) for pair in compared)
    return out


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=pathlib.Path, help="what make_models.py made")
    parser.add_argument("--weft", default="build/release/bin/weft")
    parser.add_argument("--server", required=True, help="llama.cpp's, as setup.sh builds it")
    parser.add_argument("--gguf", default="q8_0.gguf", help="of the models' folder")
    parser.add_argument("--trace", action="append", help="of weft bench typing (default: textwrap)")
    parser.add_argument("--keys", type=int, default=120, help="of each editor")
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
                print(f"round {at + 1} of {options.rounds}: {len(prompts)} prompts, {len(compared)} finished by both so far",
                      file=sys.stderr, flush=True)
        finally:
            server.stop()
    if not compared:
        sys.exit("no prompt was finished by both: give --keys or another --trace")
    result = summary(compared, reports)
    options.json.write_text(json.dumps({"summary": result, "prompts": compared}, indent=1))
    for what in ("first", "last"):
        row = result[what]
        print(f"to the {what} token: weft {row['weft']['p50']:.0f} / {row['weft']['p95']:.0f} ms, llama.cpp's server "
              f"{row['llama.cpp']['p50']:.0f} / {row['llama.cpp']['p95']:.0f} ms (p50 / p95): {row['times as fast']:.2f} times as fast")
    print(f"{result['prompts']} prompts of both; prefilled p50 {result['prefilled']['weft']['p50']:.0f} and "
          f"{result['prefilled']['llama.cpp']['p50']:.0f} tokens; generated p50 {result['tokens_p50']:.0f}")


if __name__ == "__main__":
    main()
