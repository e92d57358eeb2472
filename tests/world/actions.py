"""What can happen in a world, by name: what does it, and its sentence."""

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.world.world import World

Action: TypeAlias = tuple[Any, ...]
"""The name of what happens, and its arguments; of what people do, first which of them."""

ACTS: dict[str, tuple[Callable[..., object], str]] = {}
"""What happens, by name: what does it (`False`: it makes no sense), and its sentence."""


def act(sentence: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """This can happen."""

    def known(does: Callable[..., object]) -> Callable[..., object]:
        ACTS[does.__name__] = does, sentence
        return does

    return known


def perform(world: World, action: Action) -> bool:
    """Do something; says whether it made sense."""
    name, *arguments = action
    return ACTS[name][0](world, *arguments) is not False


def told(world: World, action: Action) -> str:
    """An action as a sentence."""
    name, *arguments = action
    sentence = ACTS[name][1]
    if "{who}" in sentence:
        return sentence.format(*map(_word, arguments[1:]), who=world.somebody(arguments[0]))
    return sentence.format(*map(_word, arguments))


def _word(argument: Any) -> Any:
    if isinstance(argument, dict):
        return ", ".join(f"{name} {value}" for name, value in argument.items())
    return "their room" if argument == "" else argument
