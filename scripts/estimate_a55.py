#!/usr/bin/env python3
"""How long the cross-built program would take on Cortex-A55: a model, not a measurement.

qemu counts how often every basic block runs for one frame, llvm-mca says how many cycles a Cortex-A55 needs for it when
it runs again and again, and the sum of the products is the frame. So nothing that the program computes is left out, and
no loop has to be named: the hottest blocks come out first, with what is in them. Not in the model: cache misses, branch
mispredictions, threads that share a cache or memory.

Exit status: 0 done, 2 wrong usage, 3 a tool or the program failed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EMULATOR = "qemu-aarch64"
LIBRARIES = "/usr/aarch64-linux-gnu"
PAGE = 4096
# A block ends here, or where the emulator's own blocks end.
BRANCHES = re.compile(r"^(b|b\.\w+|bl|blr|br|ret|cbn?z|tbn?z|svc|brk|udf|hlt|eret|drps)$")
MAX_BLOCK = 512
PRODUCTS = re.compile(r"^([su]dot|fmla|fmul|fmadd|[su]mull2?|[su]mlal2?|mul|madd)$")
LOADS = re.compile(r"^ld")
# MACs of one instruction on full vectors.
MACS = {"sdot": 16, "udot": 16, "fmla": 4}
ITERATIONS = 100
# Blocks with fewer instructions than this share of all executed are priced at the mean of the others.
NEGLIGIBLE = 1e-4


class Failed(RuntimeError):
    """A tool that did not answer as expected; the message is one line."""


@dataclass
class Instruction:
    address: int
    mnemonic: str
    text: str


@dataclass
class Block:
    function: str
    instructions: list[Instruction]
    count: float
    cycles: float = 0.0
    mnemonics: Counter = field(default_factory=Counter)

    @property
    def total(self) -> float:
        return self.count * self.cycles

    @property
    def macs(self) -> int:
        return sum(MACS.get(name, 0) * count for name, count in self.mnemonics.items())

    def number(self, pattern: re.Pattern) -> int:
        return sum(count for name, count in self.mnemonics.items() if pattern.match(name))


def run(command: Sequence[str], **options: object) -> str:
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    except FileNotFoundError as error:
        raise Failed(f"{command[0]}: not installed") from error
    if result.returncode != 0:
        reason = (result.stderr.strip() or "no message").splitlines()[0]
        raise Failed(f"{command[0]}: exit status {result.returncode}: {reason}")
    return result.stdout


def emulated(isa: str, command: Sequence[str]) -> list[str]:
    return [EMULATOR, "-E", f"LPRNET_ISA={isa}", "-L", LIBRARIES, *command]


def short_name(symbol: str) -> str:
    """conv2d_tile<DotS8<Isa>, 2, 12> of the demangled symbol."""
    symbol = symbol.replace("lprnet::kernels::", "").replace("(anonymous namespace)::", "")
    symbol = re.sub(r"^(void|auto|bool|int) ", "", symbol)
    symbol = re.sub(r"\b\w+Kernels::", "", symbol)  # the class of the instruction set
    depth = 0
    for position, character in enumerate(symbol):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "(" and depth == 0:
            return symbol[:position]
    return symbol


def disassemble(objdump: str, program: Path) -> tuple[dict[int, Instruction], dict[int, str]]:
    """Instructions of the program by address, and the function that each is in."""
    instructions: dict[int, Instruction] = {}
    functions: dict[int, str] = {}
    name = ""
    listing = run([objdump, "-d", "-C", "--no-show-raw-insn", program])
    for line in listing.splitlines():
        if match := re.match(r"^[0-9a-f]+ <(.+)>:$", line):
            name = short_name(match[1])
        elif match := re.match(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line):
            address, mnemonic = int(match[1], 16), match[2]
            operands = re.sub(r"\s*(<.*>|//.*)$", "", match[3])
            if BRANCHES.match(mnemonic) or mnemonic in ("adr", "adrp"):
                # The distance is of no matter, and may be too long from where llvm-mca thinks that it is.
                operands = re.sub(r"0x[0-9a-f]+$", "#0", operands)
            instructions[address] = Instruction(address, mnemonic, f"{mnemonic} {operands}")
            functions[address] = name
    return instructions, functions


def entry_point(objdump: str, program: Path) -> int:
    """Where the program begins, counted from where it is loaded."""
    header = run([objdump, "-f", program])
    if match := re.search(r"start address: (0x[0-9a-f]+)", header):
        return int(match[1], 16)
    raise Failed(f"{program}: {objdump} -f names no start address")


def executions(isa: str, entry: int, command: Sequence[str]) -> Counter:
    """How often each address of the program began a block of the emulator."""
    # The C library's loader says where the program begins in memory, which differs by the emulator's version.
    command = emulated(isa, ["-E", "LD_SHOW_AUXV=1", "-d", "exec,nochain", "-D", "/dev/stderr", *command])
    starts: Counter = Counter()
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError as error:
        raise Failed(f"{command[0]}: not installed") from error
    last = b""
    for line in process.stderr:
        if line.startswith(b"Trace "):
            starts[line.split(b"/", 2)[1]] += 1
        else:
            last = line
    if process.wait() != 0:
        raise Failed(last.decode(errors="replace").strip() or f"{EMULATOR}: failed without a message")
    # What it prints is shorter than what the pipe holds.
    begins = re.search(rb"^AT_ENTRY:\s+0x([0-9a-f]+)", process.stdout.read(), re.MULTILINE)
    if begins is None:
        raise Failed(f"{EMULATOR}: the loader did not say where the program begins; is it linked dynamically?")
    loaded_at = int(begins[1], 16) - entry
    counted: Counter = Counter()
    for address, count in starts.items():
        counted[int(address, 16) - loaded_at] += count
    return counted


def blocks_of_a_frame(
    instructions: dict[int, Instruction], functions: dict[int, str], entry: int, isa: str, command: Sequence[str]
) -> list[Block]:
    """What three frames execute beyond one, halved."""
    one, three = (executions(isa, entry, [*command, "--frames", str(frames)]) for frames in (1, 3))
    blocks = []
    for start in three:
        count = (three[start] - one[start]) / 2
        if count <= 0 or start not in instructions:
            continue
        body, address = [], start
        while address in instructions and len(body) < MAX_BLOCK and (not body or address % PAGE):
            body.append(instructions[address])
            if BRANCHES.match(body[-1].mnemonic):
                break
            address += 4
        blocks.append(Block(functions[start], body, count, mnemonics=Counter(i.mnemonic for i in body)))
    if not blocks:
        raise Failed(f"{command[0]}: the emulator ran no block of it")
    return blocks


def price(mca: str, cpu: str, block: Block) -> float:
    """Cycles of the block in a long row of itself."""
    text = "\n".join(instruction.text for instruction in block.instructions)
    command = [mca, "-mtriple=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod,+fullfp16", f"-iterations={ITERATIONS}"]
    # What is called is counted where it is.
    command += ["-call-latency=1", "-instruction-info=false", "-resource-pressure=false"]
    output = run(command, input=text)
    return float(re.search(r"Total Cycles:\s+(\d+)", output)[1]) / ITERATIONS


def price_all(mca: str, cpu: str, blocks: list[Block]) -> None:
    executed = sum(block.count * len(block.instructions) for block in blocks)
    dear = [block for block in blocks if block.count * len(block.instructions) >= NEGLIGIBLE * executed]
    with ThreadPoolExecutor(2) as pool:
        for block, cycles in zip(dear, pool.map(lambda block: price(mca, cpu, block), dear), strict=True):
            block.cycles = cycles
    mean = sum(block.total for block in dear) / sum(block.count * len(block.instructions) for block in dear)
    for block in blocks:
        if block.cycles == 0:
            block.cycles = mean * len(block.instructions)


def kernel_of(function: str) -> str:
    """What stands before the template arguments; the lambdas of a kernel belong to it."""
    return re.split(r"[<(\[]", function, maxsplit=1)[0].split("::")[0]


def report(blocks: list[Block], macs: float, clocks: Sequence[float], cores: int, share: float, top: int) -> dict:
    total = sum(block.total for block in blocks)
    kernels: Counter = Counter()
    for block in blocks:
        kernels[kernel_of(block.function)] += block.total
    loops = [
        {
            "function": block.function,
            "share": block.total / total,
            "count": block.count,
            "cycles": block.cycles,
            "instructions": len(block.instructions),
            "products": block.number(PRODUCTS),
            "loads": block.number(LOADS),
            "macs_per_cycle": block.macs / block.cycles,
        }
        for block in sorted(blocks, key=lambda block: -block.total)[:top]
    ]
    times = [
        {
            "ghz": clock,
            "ms": total / clock / 1e6,
            "fps": clock * 1e9 / total,
            "fps_all": cores * clock * 1e9 / total,
            "fps_all_shared": cores * share * clock * 1e9 / total,
        }
        for clock in clocks
    ]
    return {
        "cycles": total,
        "instructions": sum(block.count * len(block.instructions) for block in blocks),
        "macs_per_cycle": macs / total,
        "kernels": {name: cycles / total for name, cycles in kernels.most_common() if cycles >= 0.002 * total},
        "loops": loops,
        "times": times,
        "cores": cores,
        "share": share,
    }


def page(found: dict) -> str:
    """The report as Markdown tables."""
    lines = ["| kernel | share of the cycles, % |", "|---|---:|"]
    lines += [f"| `{name}` | {100 * share:.1f} |" for name, share in found["kernels"].items()]
    lines += ["", "| block in | runs a frame | instructions | products | loads | cycles | MAC a cycle | share, % |"]
    lines += ["|---|---:|---:|---:|---:|---:|---:|---:|"]
    for loop in found["loops"]:
        lines.append(
            f"| `{loop['function']}` | {loop['count']:.0f} | {loop['instructions']} | {loop['products']} |"
            f" {loop['loads']} | {loop['cycles']:.2f} | {loop['macs_per_cycle']:.1f} | {100 * loop['share']:.1f} |"
        )
    cores, share = found["cores"], found["share"]
    lines += [
        "",
        f"{found['cycles'] / 1e6:.2f} million cycles, {found['instructions'] / 1e6:.2f} million instructions a",
    ]
    lines[-1] += f" frame, {found['macs_per_cycle']:.2f} MAC a cycle over all."
    lines += ["", f"| GHz | ms | frames/s, one core | {cores} cores | {cores} cores at {100 * share:.0f} % |"]
    lines += ["|---:|---:|---:|---:|---:|"]
    for time in found["times"]:
        lines.append(
            f"| {time['ghz']} | {time['ms']:.2f} | {time['fps']:.0f} | {time['fps_all']:.0f} |"
            f" {time['fps_all_shared']:.0f} |"
        )
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build/aarch64/lprnet", help="built for aarch64")
    parser.add_argument("-m", "--model", type=Path, help="default: the built-in one")
    parser.add_argument("--isa", default="neondot", help="kernel table (default: %(default)s)")
    parser.add_argument("--mca", default="llvm-mca-19", help="default: %(default)s")
    parser.add_argument("--objdump", default="llvm-objdump-19", help="default: %(default)s")
    parser.add_argument("--cpu", default="cortex-a55", help="default: %(default)s")
    parser.add_argument("--ghz", type=float, nargs="+", default=[1.5, 1.8], help="default: %(default)s")
    parser.add_argument("--cores", type=int, default=8, help="default: %(default)s")
    parser.add_argument(
        "--share", type=float, default=0.85,
        help="what is left to a core beside the others, assumed (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--top", type=int, default=20, help="blocks in the table (default: %(default)s)")
    parser.add_argument("-j", "--json", action="store_true")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    model = [] if options.model is None else ["-m", str(options.model)]
    try:
        if not options.program.is_file():
            raise Failed(f"{options.program}: no such file")
        program = str(options.program)
        info = json.loads(run(emulated(options.isa, [program, "info", "-j", *model])))
        instructions, functions = disassemble(options.objdump, options.program)
        bench = [program, "bench", "--warmup", "0", *model]
        entry = entry_point(options.objdump, options.program)
        blocks = blocks_of_a_frame(instructions, functions, entry, options.isa, bench)
        price_all(options.mca, options.cpu, blocks)
    except Failed as error:
        print(error, file=sys.stderr)
        return 3
    found = report(blocks, info["macs"], options.ghz, options.cores, options.share, options.top)
    print(json.dumps(found, ensure_ascii=False) if options.json else page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
