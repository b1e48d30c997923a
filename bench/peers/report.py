"""What is made of the results: a Markdown page, a bar plot, and the comparison of two runs."""

from __future__ import annotations

import statistics
from pathlib import Path

BASE = "lprnet fp32"
# The mode whose figure is frames a second; for the others it is milliseconds.
RATE_MODE = "two streams"
FOOTPRINT_TEXT = (
    "Start: ours is from the start of `lprnet read IMAGE` to the plate on its output, JPEG decoding included; a peer's"
    " is session and first frame inside the process, and with Python from the start of the interpreter to the first"
    " logits."
    " Resident: VmRSS after"
    " 50 frames, ours while `lprnet bench` runs; over Python: less what the interpreter with numpy held before the peer"
    " was imported. Size: ours is the stripped program with its weights; a peer's are the shared libraries of its"
    " package that the process had mapped, without its weights; package: all libraries in it."
)


def value(row: dict) -> float:
    """Median over the rounds of what the mode reports."""
    return statistics.median(row["fps" if row["mode"] == RATE_MODE else "p50_ms"])


def ratio(row: dict, base: dict) -> float:
    """Time of the row in units of the base's: the median of the ratios of each round, whose two runs are neighbors in
    time. More than 1 is slower than the base."""
    if row["mode"] == RATE_MODE:
        return statistics.median(b / a for a, b in zip(row["fps"], base["fps"], strict=False))
    return statistics.median(a / b for a, b in zip(row["p50_ms"], base["p50_ms"], strict=False))


def table(rows: list[list[str]]) -> str:
    """The first row is the head; all columns but the first are aligned right."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|" + "---:|" * (len(rows[0]) - 1))
    return "\n".join(lines)


def speed_table(rows: list[dict]) -> str:
    modes = list(dict.fromkeys(row["mode"] for row in rows))
    contenders = list(dict.fromkeys(row["contender"] for row in rows))
    cells = {(row["mode"], row["contender"]): row for row in rows}
    units = {mode: "frames/s" if mode == RATE_MODE else "ms" for mode in modes}
    lines = [["", *(f"{mode}, {units[mode]}" for mode in modes)]]
    for contender in contenders:
        line = [contender]
        for mode in modes:
            row, base = cells.get((mode, contender)), cells.get((mode, BASE))
            if row is None:
                line.append("-")
                continue
            text = f"{value(row):.0f}" if mode == RATE_MODE else f"{value(row):.3f}"
            line.append(text if base is None or row is base else f"{text} ({ratio(row, base):.2f})")
        lines.append(line)
    return table(lines)


def tail_table(rows: list[dict]) -> str:
    one = [row for row in rows if row["mode"] == rows[0]["mode"]]
    lines = [[rows[0]["mode"], "p50, ms", "p99, ms", "fastest round", "slowest round"]]
    for row in one:
        times = row["p50_ms"]
        figures = (value(row), statistics.median(row["p99_ms"]), min(times), max(times))
        lines.append([row["contender"], *(f"{figure:.3f}" for figure in figures)])
    return table(lines)


def footprint_table(rows: list[dict]) -> str:
    lines = [["", "start, ms", "with Python, ms", "resident, MB", "over Python, MB", "program or libraries, MB"]]
    lines[0].append("package, MB")
    for row in rows:
        cells = [
            f"{row['start_ms']:.1f}",
            f"{row['start_with_python_ms']:.0f}" if "start_with_python_ms" in row else "-",
            f"{row['rss_kib'] * 1024e-6:.1f}",
            f"{row['rss_over_python_kib'] * 1024e-6:.1f}" if "rss_over_python_kib" in row else "-",
            f"{row['bytes'] * 1e-6:.1f}",
            f"{row['package_bytes'] * 1e-6:.1f}" if "package_bytes" in row else "-",
        ]
        lines.append([row["contender"], *cells])
    return table(lines)


def peer_table(peers: list[dict]) -> str:
    lines = [["", "version", "form", "ms by form", "largest error of a logit", "texts equal"]]
    for peer in peers:
        forms = ", ".join(f"{form} {ms:.3f}" for form, ms in peer["form_ms"].items())
        form = peer["form"]
        error, equal = peer["max_abs"][form], "yes" if peer["texts_equal"][form] else "no"
        lines.append([peer["name"], peer["version"], form, forms, f"{error:.1e}", equal])
    return table(lines)


def page(results: dict) -> str:
    calls = ", ".join(f"{title} {cost:.0f} us" for title, cost in results["call_us"].items())
    parts = [
        f"{results['cpu']}, {len(results['cores'])} cores, {results['date']}; {results['versions']['lprnet']}, isa"
        f" {results['isa']}. `{results['command']}`",
        "The network alone, 1x3x24x94 to logits; reading and resizing the image is in nobody's time. Medians of"
        f" {results['rounds']} rounds of {results['frames']} frames, all contenders in turn within a round. In"
        f" brackets: time in units of {BASE}'s; above 1 is slower.",
        speed_table(results["rows"]),
        tail_table(results["rows"]),
        footprint_table(results["footprint"]),
        FOOTPRINT_TEXT,
        peer_table(results["peers"]),
        "A peer gets the form of the network that it runs fastest. Errors are against our engine in fp32, on the sample"
        " plates, which int8 was calibrated on as well."
        f" Through its Python binding a call alone costs"
        f" {calls or 'nothing, without a peer'}; nothing is subtracted.",
    ]
    if results["notes"]:
        parts.append("Left out:\n\n" + "\n".join(f"- {note}" for note in results["notes"]))
    return "\n\n".join(parts) + "\n"


def plot(results: dict, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = results["rows"]
    modes = list(dict.fromkeys(row["mode"] for row in rows))
    groups = [[row for row in rows if row["mode"] == mode] for mode in modes]
    figure, axes = pyplot.subplots(
        len(modes), 1, figsize=(8, 0.9 * len(modes) + 0.34 * len(rows)), squeeze=False,
        height_ratios=[len(group) + 1 for group in groups], layout="constrained",
    )  # fmt: skip
    for axis, mode, group in zip(axes[:, 0], modes, groups, strict=True):
        rate = mode == RATE_MODE
        group = sorted(group, key=value, reverse=rate)
        colors = ["#c44e52" if row["contender"].startswith("lprnet") else "#8c9bb0" for row in group]
        bars = axis.barh([row["contender"] for row in group], [value(row) for row in group], color=colors)
        axis.bar_label(bars, fmt="%.0f" if rate else "%.2f", padding=3)
        axis.set_title(f"{mode}, " + ("frames a second (more is better)" if rate else "ms a plate (less is better)"))
        axis.invert_yaxis()
        axis.margins(x=0.1)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"LPRNet forward pass, {results['cpu']}")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def compare(before: dict, after: dict, threshold: float) -> tuple[str, list[str]]:
    """A table of times after / before for every row that both have, and the names of our rows that became slower by
    more than the threshold (0.05 is 5 %). The peers' rows show what the machine itself did in between."""
    old = {(row["mode"], row["contender"]): row for row in before["rows"]}
    lines = [["", "mode", "before", "after", "time after / before"]]
    slower = []
    for row in after["rows"]:
        earlier = old.get((row["mode"], row["contender"]))
        if earlier is None:
            continue
        factor = value(row) / value(earlier)
        if row["mode"] == RATE_MODE:
            factor = 1 / factor
        lines.append([row["contender"], row["mode"], f"{value(earlier):.4g}", f"{value(row):.4g}", f"{factor:.3f}"])
        if row["contender"].startswith("lprnet ") and factor > 1 + threshold:
            slower.append(f"{row['contender']}, {row['mode']}")
    return table(lines), slower
