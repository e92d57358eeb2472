"""Ctrl-C, Ctrl-D and Ctrl-Z as telnet clients send them: each ends the current line.

They would otherwise stand unseen at the beginning of the next line, which nobody could then send.
"""

CTRL_C, CTRL_D, CTRL_Z = b"\x03", b"\x04", b"\x1a"
KEYS = (CTRL_C, CTRL_D, CTRL_Z)


def is_typed(line: bytes) -> bool:
    """Whether the beginning of a line is a person's, who has pressed such a key last.

    Binary protocols have such bytes too, among others or in front.
    """
    before = line[:-1].decode(errors="replace")
    return line.endswith(KEYS) and before != "" and before.isprintable()
