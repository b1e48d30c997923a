"""What a run leaves to look at: a progress bar or lines, the loss and accuracy over time as CSV, and their plot."""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

LINE_SECONDS = 30
BAR_SECONDS = 0.5
BAR_CELLS = 24


class Progress:
    """A bar on a terminal, else a line every half minute; both on stderr."""

    def __init__(self, title: str, steps: int, first: int, batch: int) -> None:
        self.title, self.steps, self.batch = title, steps, batch
        self.terminal = sys.stderr.isatty()
        self.began = self.shown = time.monotonic()
        self.first = first
        self.loss = float("nan")

    def step(self, done: int, loss: float) -> None:
        self.loss = loss if self.loss != self.loss else self.loss + 0.02 * (loss - self.loss)
        now = time.monotonic()
        if now - self.shown < (BAR_SECONDS if self.terminal else LINE_SECONDS) and done < self.steps:
            return
        self.shown = now
        rate = (done - self.first) / max(now - self.began, 1e-6)
        left = (self.steps - done) / max(rate, 1e-6) / 60
        text = f"step {done}/{self.steps}  loss {self.loss:.4f}  {rate * self.batch:.0f} images/s  {left:.0f} min left"
        if self.terminal:
            filled = BAR_CELLS * done // self.steps
            bar = "#" * filled + "." * (BAR_CELLS - filled)
            end = "\n" if done == self.steps else ""
            print(f"\r{self.title} [{bar}] {text}\x1b[K", end=end, file=sys.stderr, flush=True)
        else:
            print(f"{self.title}  {text}", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """A line of its own, above the bar."""
        if self.terminal:
            print("\r\x1b[K", end="", file=sys.stderr)
        print(text, flush=True)


def write_table(path: Path, folders: list[Path]) -> None:
    """The last row of each stage's log, as a table in Markdown; stages that have not ended are marked."""
    rows = []
    for folder in folders:
        log = folder / "log.csv"
        if not log.is_file():
            continue
        with log.open(encoding="utf-8", newline="") as file:
            last = list(csv.DictReader(file))[-1]
        name = folder.name if (folder / "ema.pth").is_file() else f"{folder.name} (running)"
        rows.append({"stage": name, **last})
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    lines += [f"| {' | '.join(row.get(name, '') for name in names)} |" for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Journal:
    """log.csv: step, minutes, learning rate, loss since the last row, and exact plates per set in percent."""

    def __init__(self, folder: Path, step: int) -> None:
        """Goes on after `step`; rows beyond it belong to a run that was cut off and are made again."""
        self.path = folder / "log.csv"
        self.plot_path = folder / "accuracy.png"
        self.rows: list[dict[str, str]] = []
        if step and self.path.is_file():
            with self.path.open(encoding="utf-8", newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]

    def add(self, step: int, minutes: float, rate: float, loss: float, accuracy: dict[str, float]) -> None:
        row = {"step": str(step), "minutes": f"{minutes:.2f}", "lr": f"{rate:.3g}", "loss": f"{loss:.4f}"}
        row.update({name: f"{100 * share:.2f}" for name, share in accuracy.items()})
        self.rows.append(row)
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        self._plot(list(accuracy))

    def _plot(self, names: list[str]) -> None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        steps = [int(row["step"]) for row in self.rows]
        figure, (upper, lower) = pyplot.subplots(2, 1, sharex=True, figsize=(9, 7), height_ratios=(3, 1))
        for name in names:
            values = [float(row[name]) if row.get(name) else float("nan") for row in self.rows]
            upper.plot(steps, values, label=name, linewidth=2.5 if name == "all" else 1.2, marker=".")
        upper.set_ylabel("exact plates, %")
        upper.grid(alpha=0.3)
        if names:
            upper.legend(loc="lower right", fontsize="small", ncols=2)
        lower.plot(steps, [float(row["loss"]) for row in self.rows], color="black")
        lower.set_ylabel("CTC loss")
        lower.set_xlabel("step")
        lower.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(self.plot_path, dpi=100)
        pyplot.close(figure)
