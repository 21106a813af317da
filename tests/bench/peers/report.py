"""What `make bench-peers` writes: medians, shares of what the machine gave at the time, and weft's ratio to each peer. Pure
functions of the turns that compare.py took.
"""

import statistics

import make_models

# One turn: {"round", "peer", "operation", "s", "argmax", "probes": [[GB/s, fp32 GFLOP/s, int8 GOP/s] before, after]}
MEMORY, FP32, INT8 = range(3)


def tokens_per_second(request, seconds):
    return (request["n"] if request["op"] == "prefill" else request["new"]) / seconds


def probed(turn, which):
    return statistics.fmean(probe[which] for probe in turn["probes"])


def multiplied(model):
    """Operations of the matrix products of one token, without attention and without the head."""
    config = make_models.COMMON | make_models.SHAPES[model]
    matrices = [shape for name, shape in make_models.tensors(config) if len(shape) == 2 and "embed" not in name]
    return 2 * sum(rows * columns for rows, columns in matrices)


def bytes_read(info, context):
    return info["weight_bytes"] + info["kv_bytes_per_token"] * context


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def cell(turns, request, info, model):
    """The entry of one peer and operation in the table."""
    if not turns:
        return "–"
    if request["op"] == "prefill":
        work = multiplied(model) * request["n"] / 1e9
        shares = [statistics.median(work / turn["s"] / probed(turn, rate) for turn in turns) for rate in (FP32, INT8)]
        rate = statistics.median(tokens_per_second(request, turn["s"]) for turn in turns)
        return f"{rate:.0f} ({shares[0]:.0%}, {shares[1]:.0%})"
    if request["op"] == "decode":
        read = bytes_read(info, request["ctx"] + request["new"] / 2) * request["new"] / 1e9
        share = statistics.median(read / turn["s"] / probed(turn, MEMORY) for turn in turns)
        rate = statistics.median(tokens_per_second(request, turn["s"]) for turn in turns)
        return f"{rate:.1f} ({share:.0%})"
    read = bytes_read(info, request["ctx"]) / 1e9
    times = [seconds for turn in turns for seconds in turn["s"]]
    reads = statistics.median(seconds * probed(turn, MEMORY) / read for turn in turns for seconds in turn["s"])
    ms = [1e3 * value for value in (statistics.median(times), percentile(times, 0.95), min(times))]
    return f"{ms[0]:.0f} / {ms[1]:.0f} / {ms[2]:.0f} ({reads:.1f})"


def typical(turn):
    return statistics.median(turn["s"]) if isinstance(turn["s"], list) else turn["s"]


def ratio(turns, peer, other, operation):
    """How many times as fast `peer` is, as the median over rounds; None where one of them is missing."""
    seconds = {(turn["peer"], turn["round"]): typical(turn) for turn in turns if turn["operation"] == operation}
    ratios = [seconds[other, at] / value for (name, at), value in seconds.items() if name == peer and (other, at) in seconds]
    return statistics.median(ratios) if ratios else None


def table(header, rows):
    lines = [f"| {' | '.join(row)} |" for row in [header, *rows]]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:]])


def markdown(result):
    turns, operations, model = result["turns"], result["operations"], result["model"]
    rows = []
    for peer, info in result["peers"].items():
        own = [[t for t in turns if t["peer"] == peer and t["operation"] == name] for name in operations]
        rows.append([peer, f"{info['weight_bytes'] / 1e6:.0f}",
                     *(cell(one, request, info, model) for one, request in zip(own, operations.values()))])
    probes = [probe for turn in turns for probe in turn["probes"]]
    rates = "; ".join(f"{name} {statistics.median(values):.0f} {unit} ({min(values):.0f}–{max(values):.0f})"
                      for name, unit, values in zip(("memory read", "fp32 products", "int8 products"),
                                                    ("GB/s", "GFLOP/s", "GOP/s"), zip(*probes)))
    text = [f"{result['machine']}, {result['threads']} threads; {result['versions']}. Random weights in the shape of "
            f"Qwen2.5-Coder-{model.upper()}, {result['rounds']} round(s) of alternating turns, medians. The machine gave: "
            f"{rates}.", "", table(["", "weights MB", *operations], rows)]
    mine = [peer for peer in result["peers"] if peer.startswith("weft")]
    others = [peer for peer in result["peers"] if peer not in mine]
    if mine and others:
        ratios = [[f"{peer} : {other}", *(f"{value:.2f}" if (value := ratio(turns, peer, other, name)) else "–"
                                          for name in operations)] for peer in mine for other in others]
        text += ["", "How many times as fast, median over the rounds:", "", table(["", *operations], ratios)]
    return "\n".join(text)


def replace_between(document, model, text):
    """The document with what stands between the model's two markers replaced."""
    begin, end = f"<!-- bench-peers {model} -->", f"<!-- end of bench-peers {model} -->"
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"no {begin} … {end} in the document")
    return f"{before}{begin}\n{text}\n{end}{after}"
