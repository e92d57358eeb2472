"""Stars instead of a password, while it is being typed at the prompt."""

from collections.abc import Callable

from prompt_toolkit.formatted_text.utils import fragment_list_to_text
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput

from twisted_chat.client.secrecy import secret_at


class HidePasswords(Processor):
    """Shows a star for each character of a password.

    Args:
        is_asked: whether all that is typed just now is one.
    """

    def __init__(self, is_asked: Callable[[], bool]) -> None:
        self._is_asked = is_asked

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """The line as it is shown."""
        text = fragment_list_to_text(transformation_input.fragments)
        at = 0 if self._is_asked() else secret_at(text)
        if at == len(text):
            return Transformation(transformation_input.fragments)
        return Transformation([("", text[:at] + "*" * (len(text) - at))])
