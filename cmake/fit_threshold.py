"""Fits the row of generation/completion/threshold.cc for a model.

    weft eval completion --details --json --data HELD_OUT --max-positions 4000 > places.json
    python3 cmake/fit_threshold.py places.json [--lost 0.02]

The confidence is a logistic regression of whether the first line was right on the mean and the worst log-probability of
its tokens and the logarithm of their number. The threshold is the highest that keeps all but a share (--lost) of the
lines that were right: what is not shown any more was almost never right. Places are split by their number: the even ones
fit, the odd ones check.
"""

import argparse
import json
import math


def features(place):
    return [1.0, place["mean_logprob"], place["worst_logprob"], math.log(max(place["tokens"], 1))]


def probability(weights, row):
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, sum(w * x for w, x in zip(weights, row))))))


def solved(matrix, vector):
    """Gaussian elimination with pivots."""
    size = len(vector)
    rows = [list(matrix[i]) + [vector[i]] for i in range(size)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(size):
            if r != i:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    return [rows[i][size] / rows[i][i] for i in range(size)]


def fit(places, steps=50, ridge=1e-3):
    """Newton's method on the penalised likelihood."""
    xs = [features(place) for place in places]
    ys = [1.0 if place["exact"] else 0.0 for place in places]
    size = len(xs[0])
    weights = [0.0] * size
    for _ in range(steps):
        gradient = [-ridge * w for w in weights]
        hessian = [[ridge if i == j else 0.0 for j in range(size)] for i in range(size)]
        for x, y in zip(xs, ys):
            p = probability(weights, x)
            for i in range(size):
                gradient[i] += (y - p) * x[i]
                for j in range(size):
                    hessian[i][j] += p * (1 - p) * x[i] * x[j]
        weights = [w + d for w, d in zip(weights, solved(hessian, gradient))]
    return weights


def least_confidence(places, weights, lost):
    right = sorted(probability(weights, features(p)) for p in places if p["exact"])
    return right[int(lost * len(right))] if right else 0.0


def report(name, places, weights, least):
    shown = [p for p in places if probability(weights, features(p)) >= least]
    right = sum(p["exact"] for p in places)
    kept = sum(p["exact"] for p in shown)
    print(f"{name}: {len(places)} offered, {right} right; shown {len(shown)}, of which {kept} right; similarity "
          f"{sum(p['similarity'] for p in places) / max(len(places), 1):.3f} of all, "
          f"{sum(p['similarity'] for p in shown) / max(len(shown), 1):.3f} of what is shown")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="+", help="JSON of weft eval completion --details")
    parser.add_argument("--lost", type=float, default=0.02, help="share of right lines that may be kept back")
    arguments = parser.parse_args()
    places, model = [], ""
    for name in arguments.reports:
        with open(name, encoding="utf-8") as file:
            evaluated = json.load(file)
        places += evaluated["places"]
        model = evaluated["model"]
    fitted, checked = places[::2], places[1::2]
    weights = fit(fitted)
    least = least_confidence(fitted, weights, arguments.lost)
    print("{%s}" % ", ".join([f'"{model}"'] + [f"{w:.3f}" for w in weights] + [f"{least:.4f}"]))
    report("fitted", fitted, weights, least)
    report("checked", checked, weights, least)


if __name__ == "__main__":
    main()
