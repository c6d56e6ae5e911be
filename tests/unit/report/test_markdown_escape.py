"""Whatever a name or an error holds, a reader of the Markdown sees it as text and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runqy_tui.report.markdown_escape import code, code_block, markdown_table, prose
from runqy_tui.text.safe import safe_block, safe_line
from tests.unit.report.markdown_documents import parse

HOSTILE = [
    "a | b",
    "a \\| b",
    "a \\\\| b",
    "`x`",
    "``` x",
    "<script>alert(1)</script>",
    "<!-- x",
    "--> x",
    "</code> x",
    "&lt; &#62; &amp;",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/p.png)",
    "[x]: http://evil.example",
    "<http://evil.example>",
    "http://evil.example www.evil.example",
    "# no heading",
    "- no item",
    "1. no item",
    "2) no item",
    "> no quote",
    "===",
    "---",
    "**b** __b__ *i* _i_ ~~s~~ $x$",
    "@everyone see #1",
    "line\n\n# no heading\n| a | b |\n|---|---|",
    "\x1b[2J\r\u202e\ud800\u2028",
    "  spaces  ",
    "ends with \\",
    "",
]
_ALPHABET = st.sampled_from("`|\\<>&*_[]()#-+.!~@:/$^='\"\n\t ab1é\x1b\u202e")
_TEXT = st.one_of(st.text(_ALPHABET, max_size=40), st.text(max_size=40), st.sampled_from(HOSTILE))


def squeezed(text: str) -> str:
    """As a page shows it: runs of spaces are one."""
    return re.sub(r"\s+", " ", text).strip()


@given(_TEXT, _TEXT)
@example("a \\", "| b")
def test_a_table_keeps_its_shape_and_its_words(first: str, second: str) -> None:
    lines = markdown_table(["one", "two", "three"], [[prose(first), code(second), "end"]] * 2)
    document = parse("\n".join(lines))
    ((head, *rows),) = document.tables
    assert head == ["one", "two", "three"]
    assert len(rows) == 2
    for cells in rows:
        assert squeezed(cells[0]) == squeezed(safe_line(first))
        assert squeezed(cells[1]) == squeezed(safe_line(second) or "(empty)")
        assert cells[2] == "end"
    assert not document.kinds & {
        "link_open",
        "image",
        "em_open",
        "strong_open",
        "s_open",
        "html_block",
    }


@given(_TEXT)
@example(" #")
@example("__a__b_")
def test_prose_stays_one_paragraph_wherever_it_stands(text: str) -> None:
    document = parse(f"{prose(text)}\n\n- {prose(text)}\n\n## x {prose(text)}\n")
    assert [squeezed(each) for each in document.headings] == [squeezed(f"x {safe_line(text)}")]
    allowed = {"paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close"}
    allowed |= {"list_item_open", "list_item_close", "heading_open", "heading_close", "inline"}
    assert document.kinds <= allowed | {"text", "html_inline", "code_inline", "text_special"}


@given(st.one_of(_TEXT, st.lists(_TEXT, max_size=8).map("\n".join)))
@example("```\n# out\n````\n~~~")
def test_a_block_cannot_be_left(text: str) -> None:
    document = parse("\n".join(["before", "", *code_block(text), "", "after"]))
    assert document.blocks == [safe_block(text).rstrip("\n") + "\n"] or text.strip("\n") == ""
    assert len(document.blocks) == 1
    assert not document.headings


@pytest.mark.parametrize("text", ["mail @everyone", "see #17", "http://evil.example", "www.a.b"])
def test_nothing_calls_people_or_becomes_a_link_where_it_is_pasted(text: str) -> None:
    shown = prose(text)
    assert not re.search(r"[@#]\w|://|www\.", re.sub(r"&#\d+;", "", shown))


def test_plain_names_stay_plain() -> None:
    assert (
        prose("upstream 503, it's late: 2.5 s (again)") == "upstream 503, it's late: 2.5 s (again)"
    )
    assert code("asynq:{a.b}:t:1*_[x]") == "`asynq:{a.b}:t:1*_[x]`"
