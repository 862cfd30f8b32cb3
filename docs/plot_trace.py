"""Draws how a learned rotation's error adds up: python3 docs/plot_trace.py PICTURE.png LABEL=TRACE.csv …

A trace comes from `whorl trace … --state all --out TRACE.csv` and is of a Mamba-3 model reading parity. For each one the pair of state channels
that keeps the count in the first layer is drawn: by how much its angle differs from half a turn for each 1 so far. Needs Matplotlib.
"""
import csv
import math
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TRAINED_SIZE = 40
COLOURS = ["#1f5fa8", "#c8553d", "#3d8b5f", "#7b5ea7"]


def read(path):
    """{quantity: {(head, index): [value at each position]}} of the first layer, and the tokens."""
    values, tokens = defaultdict(lambda: defaultdict(dict)), {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            position = int(row["position"])
            if row["quantity"] == "token":
                tokens[position] = int(row["value"])
            elif row["layer"] == "0":
                values[row["quantity"]][row["head"], row["index"]][position] = float(row["value"])
    return values, [tokens[t] for t in sorted(tokens)]


def keeper(values):
    """Head and pair that keep the count: of the heads that turn at all, the one that decays least, and of its pairs the
    one whose state is read out most. Also the turn of each step, and the angle after each step as a sum of turns."""
    turns = {}
    for head, _ in values["dt"]:
        dt = values["dt"][head, ""]
        for _, pair in values["theta"]:
            theta = values["theta"]["", pair]
            turns[head, pair] = [dt[t] * theta[t] for t in sorted(dt)]
    turning = {head for (head, _), steps in turns.items() if max(map(abs, steps)) > math.pi / 2}
    head = max(turning, key=lambda h: min(values["alpha"][h, ""].values()))

    def read_out(pair):
        channels = [str(2 * int(pair) + half) for half in (0, 1)]
        read = sum(v * v for c in channels for v in values["c"][head, c].values())
        held = sum(v * v for (h, index), state in values["state"].items()
                   if h == head and index.split(":")[0] in channels for v in state.values())
        return read * held

    pair = max((p for h, p in turns if h == head), key=read_out)
    steps = turns[head, pair]
    return head, pair, steps, [abs(sum(steps[: t + 1])) for t in range(len(steps))]


def main(picture, traces):
    figure, axes = plt.subplots(figsize=(8, 4.2), constrained_layout=True)
    longest = 0
    for (label, path), colour in zip(traces, COLOURS):
        values, tokens = read(path)
        head, pair, steps, angles = keeper(values)
        ones = [sum(token == 2 for token in tokens[: t + 1]) for t in range(len(tokens))]
        errors = [math.degrees(angle - math.pi * n) for angle, n in zip(angles, ones)]
        turn = math.degrees(max(map(abs, steps)))
        positions = range(1, len(errors) + 1)
        axes.plot(positions, errors, color=colour, linewidth=2, label=f"{label}: a 1 turns by {turn:.2f}°")
        longest = max(longest, len(errors))
    axes.axhspan(-90, 90, color="#e9eef5", zorder=0)
    axes.text(TRAINED_SIZE + 1, 82, "the answer is right within ±90°", va="top", color="#51627a")
    axes.axvline(TRAINED_SIZE, color="#888888", linewidth=1, linestyle=(0, (4, 3)))
    axes.text(TRAINED_SIZE + 1, -172, "longest training sequence", color="#666666")
    axes.set_xlim(1, longest)
    axes.set_ylim(-180, 180)
    axes.set_yticks(range(-180, 181, 90), ["-180°", "-90°", "0", "90°", "180°"])
    axes.set_xlabel("bits read")
    axes.set_ylabel("angle, less half a turn for each 1")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(picture, dpi=150)


if __name__ == "__main__":
    if len(sys.argv) < 3 or not all("=" in argument for argument in sys.argv[2:]):
        sys.exit(__doc__)
    main(sys.argv[1], [argument.split("=", 1) for argument in sys.argv[2:]])
