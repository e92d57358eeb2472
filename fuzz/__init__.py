"""Coverage-guided fuzzers (atheris) for everything that reads bytes from outside.

`python -m fuzz 60` runs each for a minute; `python -m fuzz.telnet` runs one until it is stopped,
with libFuzzer's options. A finding is an exception; its input is left in a file.
"""
