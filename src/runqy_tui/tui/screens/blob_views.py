"""How payloads, results, errors and raw fields are shown: by what they are, cut before display."""

from __future__ import annotations

from collections.abc import Mapping

from runqy_tui.model import Blob
from runqy_tui.model.json_schema import as_text
from runqy_tui.text.humanize import size
from runqy_tui.text.safe import safe_line
from runqy_tui.tui.json_layout import pretty_json
from runqy_tui.tui.widgets.text_view import TextView

_RAW_LIMIT = 4_096


def show_blob(view: TextView, blob: Blob | None, nothing: str) -> None:
    """Show a value: JSON indented, a traceback coloured, binary data as hex."""
    if blob is None:
        view.set_text(nothing, kind="plain", wrap=True)
        return
    if not blob.size:
        view.set_text("Empty: 0 bytes.", kind="plain", wrap=True)
        return
    if blob.size and not blob.data:
        view.set_text(
            f"{size(blob.size)}, not read: the server lets nobody read a part of it "
            "(EVAL_RO is refused).",
            kind="plain",
            wrap=True,
        )
        return
    text = as_text(blob)
    if text is None:
        view.set_text(blob.data, kind="hex")
        return
    if blob.truncated:
        head = f"First {size(len(blob.data))} of {size(blob.size)}:\n\n"
        view.set_text(head + text, kind="plain", wrap=True)
        return
    if "Traceback (most recent call last)" in text:
        view.set_text(text, kind="traceback", wrap=True)
        return
    pretty = pretty_json(text) if text.lstrip()[:1] in ("{", "[", '"') else None
    if pretty is not None:
        view.set_text(pretty, kind="json", wrap=True)
    else:
        view.set_text(text, kind="plain", wrap=True)


def show_raw(view: TextView, fields: Mapping[str, Blob]) -> None:
    """Show every field of the hash as it stands: text as it is, binary data as hex."""
    parts = []
    for name in sorted(fields):
        blob = fields[name]
        shown = blob.data[:_RAW_LIMIT]
        cut = f", first {size(len(shown))} shown" if len(shown) < blob.size else ""
        parts.append(f"{safe_line(name)} ({size(blob.size)}{cut})")
        text = as_text(Blob(shown, blob.size))
        parts.append(_hex(shown) if text is None or name == "msg" else text)
        parts.append("")
    view.set_text("\n".join(parts) or "There is no hash.", kind="plain", wrap=True)


def _hex(data: bytes) -> str:
    from runqy_tui.tui.widgets.text_lines import hexdump

    return "\n".join(hexdump(data))


def ending(blob: Blob) -> str:
    """File ending that fits the value."""
    text = as_text(blob)
    if text is None:
        return "bin"
    return "json" if not blob.truncated and pretty_json(text) is not None else "txt"
