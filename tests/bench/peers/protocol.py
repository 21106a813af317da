"""What a peer's worker says on stdin and stdout: one JSON object a line, each request answered with one line.

Unasked, first:  {"info": {"weight_bytes": B, "kv_bytes_per_token": B}}
{"op": "prefill", "n": N}                           -> {"s": seconds, "argmax": id}    cold, to the first token
{"op": "decode", "ctx": C, "new": N}                -> {"s": seconds, "argmax": id}    N single steps after C tokens
{"op": "keystroke", "ctx": C, "add": K, "count": M} -> {"s": [seconds, ...], "argmax": id}
    C tokens are cached; M times K more arrive and one token is generated, which is then dropped.

Time starts with the request's first step and ends with the token's id; what a step needs beforehand in the cache is put
there unmeasured. argmax: the last token generated.
"""

import json
import os
import sys


def prompt(count):
    """The tokens that all peers see."""
    return [1000 + (i * 7919 + 12345) % 50000 for i in range(count)]


def serve(load):
    """Serves the object that load() returns until stdin ends: info, prefill(n), decode(ctx, new), keystroke(ctx, add, count)."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not part of the conversation
    peer = load()

    def say(what):
        print(json.dumps(what), file=out, flush=True)

    say({"info": peer.info})
    for line in sys.stdin:
        request = json.loads(line)
        seconds, argmax = getattr(peer, request.pop("op"))(**request)
        say({"s": seconds, "argmax": int(argmax)})
