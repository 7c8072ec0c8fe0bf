"""Exit codes of the command."""

FOUND, NOT_FOUND, WRONG_USE = 0, 1, 2
FAILED, CRASHED, INTERRUPTED = 1, 70, 130  # 70 is EX_SOFTWARE of sysexits.h
