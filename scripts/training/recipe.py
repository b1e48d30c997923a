"""The recipe: named stages, each a training run from scratch or from the result of another stage."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from plates import CHARSETS
from synth_plates import KIND_SHARES, KINDS, characters_of

PRUNING = ("none", "unstructured", "global", "groups")


class RecipeError(ValueError):
    """The recipe, or a change to it on the command line, says something that no stage understands."""


@dataclass(frozen=True)
class Stage:
    """Settings of one stage; every number that the result depends on, but for the data."""

    name: str
    steps: int = 0  # that the schedule is laid out for
    after: str = ""  # the stage whose average this one starts from; "" starts from random weights
    beside: str = ""  # trained in one go with this stage, on its batches
    stop: int = 0  # ends after so many steps, in the middle of its schedule; 0 goes to the end
    seed: int = 1
    batch: int = 48
    lr: float = 2e-3  # peak
    warm_up: int = 300  # steps
    weight_decay: float = 0.02
    dropout: float = 0.2
    ema: float = 0.998
    precision: str = "bf16"  # of the forward pass; fp32 is the other
    widths: float = 1.0  # multiplier; 1 keeps the widths of what the stage starts from, others widen it
    classes: int = len(CHARSETS[89])  # one of plates.CHARSETS; what the stage starts from may have fewer
    transformer: bool = False  # a spatial transformer in front; one that the stage starts from is kept
    transformer_rate: float = 0.1  # of the learning rate, for the transformer
    average: tuple[str, ...] = ()  # no training: the mean of these stages' weights, which have one start in common
    teacher: str = ""  # the stage whose probabilities are learned besides the labels
    distil: float = 1.0  # how much those count
    real_share: float = 0.5  # of the images; the others are rendered
    real_strength: float = 0.7  # of augmentation, 0..1
    synth_strength: float = 0.85
    synth_spread: float = 0.0  # strength of a rendered plate: uniform from (1 - spread) * synth_strength upwards
    kinds: dict[str, float] = field(default_factory=lambda: dict(KIND_SHARES))  # shares of rendered plates
    province_balance: float = 0.6  # 0 draws real crops evenly, 1 provinces evenly
    set_balance: float = 0.2  # the same for their sets
    splice_share: float = 0.3  # of the real crops that get the serial of another
    ease_in: float = 0.12  # share of the steps until augmentation is whole
    prune: str = "none"
    amount: float = 0.0  # share of the weights to remove before the first step

    @property
    def needs(self) -> tuple[str, ...]:
        """The stages whose results this one uses; what it starts from comes first."""
        return (*((self.after,) if self.after else ()), *self.average, *((self.teacher,) if self.teacher else ()))

    @property
    def end(self) -> int:
        return self.stop or self.steps


def _checked(name: str, values: dict) -> Stage:
    types = {one.name: one.type for one in fields(Stage)}
    for key, value in values.items():
        if key not in types or key == "name":
            raise RecipeError(f"stage {name}: unknown setting {key!r}")
        if types[key] == "int" and type(value) is not int:
            raise RecipeError(f"stage {name}: {key}: expected a whole number, found {value!r}")
        if types[key] == "dict[str, float]" and not (
            type(value) is dict and all(type(share) in (int, float) for share in value.values())
        ):
            raise RecipeError(f"stage {name}: {key}: expected NAME = SHARE in braces, found {value!r}")
        if types[key] == "bool" and type(value) is not bool:
            raise RecipeError(f"stage {name}: {key}: expected true or false, found {value!r}")
        if types[key] == "float" and type(value) not in (int, float):
            raise RecipeError(f"stage {name}: {key}: expected a number, found {value!r}")
    if "steps" not in values and "average" not in values:
        raise RecipeError(f"stage {name}: steps: missing")
    stage = Stage(name, **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    if stage.prune not in PRUNING:
        raise RecipeError(f"stage {name}: prune: expected one of {', '.join(PRUNING)}, found {stage.prune!r}")
    if not 0 <= stage.amount < 1:
        raise RecipeError(f"stage {name}: amount: expected 0 to below 1, found {stage.amount}")
    for kind in stage.kinds:
        if kind not in KINDS:
            raise RecipeError(f"stage {name}: kinds: unknown kind {kind!r}, expected {', '.join(KINDS)}")
    if abs(sum(stage.kinds.values()) - 1) > 1e-6:
        raise RecipeError(f"stage {name}: kinds: expected shares that add up to 1, found {sum(stage.kinds.values())}")
    if stage.classes not in CHARSETS:
        raise RecipeError(f"stage {name}: classes: expected one of {tuple(CHARSETS)}, found {stage.classes}")
    for kind in stage.kinds if stage.real_share < 1 else ():
        foreign = characters_of(kind) - set(CHARSETS[stage.classes])
        if foreign:
            raise RecipeError(f"stage {name}: kinds: {kind} has {min(foreign)}, which {stage.classes} classes do not")
    if stage.average and (stage.after or stage.teacher or stage.steps):
        raise RecipeError(f"stage {name}: average: expected no after, teacher or steps beside it")
    if stage.steps < 1 and not stage.average:
        raise RecipeError(f"stage {name}: steps: expected at least 1, found {stage.steps}")
    if not 0 <= stage.stop <= stage.steps:
        raise RecipeError(f"stage {name}: stop: expected 0 to {stage.steps}, found {stage.stop}")
    return stage


# What a batch depends on, besides its number.
BATCH_SETTINGS = (
    "seed", "batch", "classes", "real_share", "real_strength", "synth_strength", "synth_spread", "kinds",
    "province_balance", "set_balance", "splice_share", "ease_in",
)  # fmt: skip


def together(stages: list[Stage]) -> list[list[Stage]]:
    """The stages in the order they run, those that are trained on the same batches in one group."""
    groups: list[list[Stage]] = []
    for stage in stages:
        group = next((one for one in groups if stage.beside and one[0].name == stage.beside), None)
        if group is None:
            groups.append([stage])
            continue
        # The others of a group run before anything that comes after its first.
        done = {one.name for earlier in groups[: groups.index(group)] for one in earlier}
        late = [name for name in stage.needs if name in {one.name for one in stages} - done]
        if late:
            raise RecipeError(f"stage {stage.name}: needs {late[0]}, which is not done when {stage.beside} begins")
        first = group[0]
        for key in BATCH_SETTINGS + (("steps",) if first.ease_in > 0 else ()):
            if getattr(stage, key) != getattr(first, key):
                raise RecipeError(
                    f"stage {stage.name}: {key}: expected {getattr(first, key)!r} as {first.name}, whose batches it "
                    f"uses, found {getattr(stage, key)!r}"
                )
        group.append(stage)
    return groups


def load_recipe(path: Path) -> dict[str, Stage]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(str(error)) from error
    return {name: _checked(name, _inherited(content, name)) for name in content}


def _inherited(content: dict[str, dict], name: str) -> dict:
    """The settings of a stage over those of the stage it is `like`."""
    values = dict(content[name])
    base = values.pop("like", None)
    if base is None:
        return values
    if base not in content or "like" in content[base]:
        raise RecipeError(f"stage {name}: like: expected a stage that is like no other, found {base!r}")
    return content[base] | values


def chain(recipe: dict[str, Stage], names: list[str]) -> list[Stage]:
    """The stages of these names and those that they need, in the order they run."""
    stages: list[Stage] = []

    def add(name: str, above: tuple[str, ...]) -> None:
        if name not in recipe:
            raise RecipeError(f"stage {name}: not in the recipe, which has {', '.join(recipe)}")
        if name in above:
            raise RecipeError(f"stage {name}: comes after itself")
        for needed in recipe[name].needs:
            add(needed, (*above, name))
        if recipe[name] not in stages:
            stages.append(recipe[name])

    for name in names:
        add(name, ())
    return stages


def changed(stage: Stage, changes: list[str]) -> Stage:
    """The stage with KEY=VALUE settings replaced, values written as in the recipe."""
    try:
        values = tomllib.loads("\n".join(changes))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{' '.join(changes)}: {error}") from error
    current = {one.name: getattr(stage, one.name) for one in fields(Stage) if one.name != "name"}
    return _checked(stage.name, {**current, **values})
