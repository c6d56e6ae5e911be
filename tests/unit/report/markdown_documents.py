"""Reads Markdown as a renderer would, so that a test sees what a reader sees."""

from __future__ import annotations

from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_HARMLESS = frozenset({"<code>", "</code>", "<!-- -->"})


@dataclass
class Document:
    """What a document came out as: headings, tables as rows of cells, code blocks."""

    headings: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


def text_of(inline: Token) -> str:
    """The words of a piece of a line. HTML of any effect fails."""
    words = []
    for token in inline.children or []:
        if token.type == "html_inline":
            assert token.content in _HARMLESS
        else:
            words.append(token.content)
    return "".join(words)


def parse(markdown: str) -> Document:
    """Parse a document."""
    document = Document()
    before = ""
    for token in _PARSER.parse(markdown):
        document.kinds.add(token.type)
        document.kinds.update(child.type for child in token.children or [])
        if token.type == "fence":
            document.blocks.append(token.content)
        elif token.type == "table_open":
            document.tables.append([])
        elif token.type == "tr_open":
            document.tables[-1].append([])
        elif token.type == "inline" and before in ("th_open", "td_open"):
            document.tables[-1][-1].append(text_of(token))
        elif token.type == "inline" and before == "heading_open":
            document.headings.append(text_of(token))
        before = token.type
    return document
