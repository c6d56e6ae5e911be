"""Masks recognisable secrets in errors and logs before a text is passed on.

It catches what people and libraries print by accident, without a guarantee, and rather masks too
much than too little. Newlines are neither added nor removed. Time is linear in the length of the
text: every repetition is possessive, bounded, or starts at a boundary.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MASK = "***"

_WORD = (
    r"(?:pass(?:word|wd|wort|phrase|code)|pwd|secret[a-z0-9_-]{0,48}+|token(?!s|iz)"
    r"|api[ _-]?key|access[ _-]?key(?:[_-]?id)?|private[ _-]?key|account[_-]?key"
    r"|encryption[_-]?key|signing[_-]?key|credentials?)"
)
_VALUE = (
    # Inside an escaped quote, as in JSON within JSON, an escaped quote ends the value.
    r"(?:\"(?:[^\"\\\n]|\\[^\n])*+|'(?:[^'\\\n]|\\[^\n])*+"
    r"|\\{1,3}\"(?:[^\"\\\n]|\\[^\"\\\n])*+|\\{1,3}'(?:[^'\\\n]|\\[^'\\\n])*+|[^\s\"'&]++)"
)
_SEPARATOR = r"\\{0,3}[\"']?\]?[ \t]{0,8}(?:=>|:=|==?|:)[ \t]{0,8}"
_SCHEMES = r"(?:bearer|basic|digest|token|negotiate|apikey|api-key|key|aws4-hmac-sha256|hmac)"
_PLAIN = frozenset({"none", "null", "nil", "undefined", "true", "false", "<nil>"})
_TAIL = re.compile(r"[,;)\]}>.\\]+$")
_AUTHORITY = re.compile(r"[/?#]")
_PORT = re.compile(r"\d{1,5}(?:[/?#]|$)")
_QUERY = re.compile(r"[?#]")
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LIKE = re.compile(r"[\s>|]*[A-Za-z0-9+/=…]*\s*|(?:Proc-Type|DEK-Info): .*")
_KEY_LINE = re.compile(r"[\s>|]*[A-Za-z0-9+/=]{16,}\s*")

_Replace = str | Callable[[re.Match[str]], str]


def mask(text: str) -> str:
    """Return the text with its secrets replaced by ``***``; masking twice changes nothing more."""
    text = _mask_key_blocks(text)
    for _ in range(4):  # a masked secret may complete the match of another rule
        masked = text
        for pattern, replace in _RULES:
            masked = pattern.sub(replace, masked)
        if masked == text:
            break
        text = masked
    return text


def _mask_key_blocks(text: str) -> str:
    """Mask private keys line by line, also where only the start or the end of one is present."""
    if "PRIVATE KEY" not in text:
        return text
    lines = text.split("\n")
    final = max((n for n, line in enumerate(lines) if _END.search(line)), default=-1)
    inside = False
    for place, line in enumerate(lines):
        begin, end = _BEGIN.search(line), _END.search(line)
        if begin or end:
            if not (inside or begin):
                _mask_above(lines, place)
            lines[place], inside = _edge(line, begin, end, inside)
        elif inside and (place < final or _KEY_LIKE.fullmatch(line)):
            lines[place] = MASK
        else:
            inside = False
    return "\n".join(lines)


def _edge(
    line: str, begin: re.Match[str] | None, end: re.Match[str] | None, inside: bool
) -> tuple[str, bool]:
    """Mask a line on which a key starts or ends; also return whether it continues afterwards."""
    opens = begin and not inside and (end is None or begin.start() < end.start())
    head = line[: begin.start()] if begin and opens else ""
    last = _last(_END, line)
    if last is None or (_last(_BEGIN, line) or 0) > last:
        return head + MASK, True
    return head + MASK + line[last:], False


def _mask_above(lines: list[str], end: int) -> None:
    place = end - 1
    while place >= 0 and _KEY_LINE.fullmatch(lines[place]):
        lines[place] = MASK
        place -= 1


def _last(pattern: re.Pattern[str], line: str) -> int | None:
    """Return the end of the last match in a line, ``None`` without one."""
    return max((match.end() for match in pattern.finditer(line)), default=None)


def _url(match: re.Match[str]) -> str:
    """Mask everything between ``user:`` and the last ``@``; a lone user name only if it is long."""
    rest = match["rest"]
    user, colon, after = rest.partition(":")
    if colon and not _AUTHORITY.search(user) and "@" not in user:
        # A raw password may contain any character, but `host:8080/…@` is a port and a path.
        query = _QUERY.search(rest)
        at = rest.rfind("@", 0, query.start() if query else len(rest))
        at = rest.rfind("@") if at < 0 else at
        known = _PORT.match(after) or at < 0
        return match.group() if known else f"://{user}:{MASK}{rest[at:]}"
    stop = _AUTHORITY.search(rest)
    at = rest.rfind("@", 0, stop.start() if stop else len(rest))
    return match.group() if at < 16 else f"://{MASK}{rest[at:]}"


def _assigned(match: re.Match[str]) -> str:
    value = match["value"]
    quote = re.match(r"\\{0,3}[\"']", value)
    if quote:
        inner = value[quote.end() :]
        kept = not inner or inner.lower() in _PLAIN
        return match.group() if kept else f"{match['lead']}{quote.group()}{MASK}"
    tail = _TAIL.search(value)
    end = tail.group() if tail else ""
    inner = value.removesuffix(end)
    return match.group() if not inner or inner.lower() in _PLAIN else f"{match['lead']}{MASK}{end}"


def _scheme(match: re.Match[str]) -> str:
    """Mask after ``Bearer`` and the like what resembles a credential, not an English word."""
    value = match["value"]
    odd = any(char.isdigit() for char in value) or len(value) >= 20
    return f"{match['lead']}{MASK}" if odd else match.group()


def _near(match: re.Match[str]) -> str:
    """Mask a long random text soon after a word such as ``token``."""
    value = match["value"]
    digits = sum(char.isdigit() for char in value)
    return f"{match['lead']}{MASK}" if digits > 2 or len(value) >= 40 else match.group()


_RULES: tuple[tuple[re.Pattern[str], _Replace], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replace)
    for pattern, replace in (
        (r"://(?P<rest>(?:(?!://)[^\s\"'<>])*+)", _url),
        (
            rf"(?P<lead>authorization{_SEPARATOR}\\{{0,3}}[\"']?{_SCHEMES}[ \t]+)[^\"'\n\r]++",
            rf"\g<lead>{MASK}",
        ),
        (
            rf"(?P<lead>authorization{_SEPARATOR})(?!\\{{0,3}}[\"']?{_SCHEMES}\b)(?P<value>{_VALUE})",
            _assigned,
        ),
        (
            r"(?P<lead>\b(?:set-)?cookie\\{0,3}[\"']?:[ \t]*)(?P<value>[^\"'\n\r]++)",
            rf"\g<lead>{MASK}",
        ),
        (r"(?P<lead>\b(?:bearer|basic)[ \t]{1,4})(?P<value>[a-z0-9._~+/=-]{8,}+)", _scheme),
        (r"(?<![a-z0-9])(?-i:A(?:KIA|SIA|GPA|IDA|ROA|NPA|NVA)[A-Z0-9]{16})(?![a-z0-9])", MASK),
        (
            r"(?<![a-z0-9])(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk-|[sr]k_(?:live|test)_"
            r"|hf_|npm_|aiza|pypi-)[a-z0-9_-]{16,}+",
            MASK,
        ),
        (r"(?<![a-z0-9_-])(?-i:eyJ)[a-z0-9_=-]{8,}+(?:\.[a-z0-9_=-]*+){0,4}", MASK),
        (
            rf"(?P<lead>{_WORD}{_SEPARATOR}(?:{_SCHEMES}[ \t]+(?=\S))?)(?P<value>{_VALUE})",
            _assigned,
        ),
        (
            rf"(?P<lead>(?<![\w-])--?[a-z-]{{0,24}}?{_WORD}[ \t]{{1,4}})(?P<value>(?!-){_VALUE})",
            _assigned,
        ),
        (
            r"(?P<lead>[?&](?:key|sig|signature|code|auth|x-amz-[a-z-]{1,24}|x-goog-[a-z-]{1,24})=)"
            r"(?P<value>[^&\s\"'#]++)",
            _assigned,
        ),
        (
            rf"(?P<lead>(?:{_WORD}|signature|bearer|cookie|session|auth)[^\n]{{0,24}}?"
            r"(?<![a-z0-9_+/=-]))(?P<value>[a-z0-9_+=-][a-z0-9_+/=-]{19,}+)",
            _near,
        ),
    )
)
