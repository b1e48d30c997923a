"""The model of Cortex-A55: its arithmetic on made-up blocks, and prices of llvm-mca where that is installed."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

import estimate_a55
from estimate_a55 import Block, Instruction

MCA = "llvm-mca-19"


def block(function: str, lines: list[str], count: float, cycles: float = 0.0) -> Block:
    body = [Instruction(4 * i, line.split()[0], line) for i, line in enumerate(lines)]
    return Block(function, body, count, cycles, Counter(instruction.mnemonic for instruction in body))


def dots(count: int) -> list[str]:
    return [f"sdot v{i}.4s, v30.16b, v31.4b[{i % 4}]" for i in range(count)]


def test_names() -> None:
    symbol = (
        "void lprnet::kernels::(anonymous namespace)::conv2d_tile<lprnet::kernels::(anonymous namespace)::DotS8<"
        "lprnet::kernels::(anonymous namespace)::Isa>, 2, 12>(lprnet::kernels::(anonymous namespace)::Call const&)"
    )
    assert estimate_a55.short_name(symbol) == "conv2d_tile<DotS8<Isa>, 2, 12>"
    assert estimate_a55.kernel_of("conv2d_tile<DotS8<Isa>, 2, 12>") == "conv2d_tile"
    entry = "lprnet::kernels::NeonDotKernels::conv2d_s8(lprnet::kernels::Conv2dS8 const&)"
    assert estimate_a55.kernel_of(estimate_a55.short_name(entry)) == "conv2d_s8"
    assert estimate_a55.kernel_of("main") == "main"


def test_report_adds_up() -> None:
    blocks = [block("conv<1>", dots(16), 1000, 20.0), block("pool<2>", ["ldr q0, [x1]"], 500, 10.0)]
    found = estimate_a55.report(blocks, 16 * 16 * 1000, [2.0], 8, 0.5, 1)
    assert found["cycles"] == 25000 and found["kernels"] == {"conv": 0.8, "pool": 0.2}
    assert found["macs_per_cycle"] == pytest.approx(256000 / 25000)
    [loop] = found["loops"]
    assert (loop["products"], loop["loads"], loop["macs_per_cycle"]) == (16, 0, pytest.approx(256 / 20))
    [time] = found["times"]
    assert time["ms"] == pytest.approx(25000 / 2e6) and time["fps"] == pytest.approx(80000)
    assert time["fps_all"] == pytest.approx(640000) and time["fps_all_shared"] == pytest.approx(320000)
    page = estimate_a55.page(found)
    assert "| `conv<1>` | 1000 | 16 | 16 | 0 | 20.00 | 12.8 | 80.0 |" in page
    assert "| 2.0 | 0.01 | 80000 | 640000 | 320000 |" in page


def test_prices() -> None:
    if shutil.which(MCA) is None:
        pytest.skip(f"{MCA}: not installed")
    # One dot product of full vectors a cycle, as two pipes of 64 bits allow.
    assert estimate_a55.price(MCA, "cortex-a55", block("", dots(16), 1)) == pytest.approx(16, abs=0.1)
    # A call costs what is called, which is counted where it is.
    assert estimate_a55.price(MCA, "cortex-a55", block("", ["bl #0"], 1)) < 3
    cheap, dear = block("", ["ldr q0, [x1]"], 1), block("", dots(16), 1e9)
    estimate_a55.price_all(MCA, "cortex-a55", [cheap, dear])
    assert cheap.cycles == pytest.approx(dear.cycles / 16)


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert estimate_a55.main(["--program", str(tmp_path / "none")]) == 3
    assert capsys.readouterr().err == f"{tmp_path / 'none'}: no such file\n"
    with pytest.raises(estimate_a55.Failed, match="no-such-tool: not installed"):
        estimate_a55.run(["no-such-tool"])
    with pytest.raises(estimate_a55.Failed, match="sh: exit status 4: reason"):
        estimate_a55.run(["sh", "-c", "echo reason >&2; exit 4"])
