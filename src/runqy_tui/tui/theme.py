"""The look: calm when healthy. Colour always means something and never stands alone."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="runqy-dark",
    primary="#6ea8fe",
    secondary="#4f6d94",
    accent="#6ea8fe",
    warning="#e5b454",
    error="#f2646d",
    success="#7fbf7f",
    foreground="#c9d1d9",
    background="#0d1117",
    surface="#0d1117",
    panel="#161b22",
    dark=True,
    variables={
        "busy": "#6cb6ff",
        "muted": "#6e7681",
        "border": "#30363d",
        "border-blurred": "#30363d",
        "block-cursor-background": "#1f6feb",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#21262d",
        "footer-background": "#161b22",
        "footer-key-foreground": "#6ea8fe",
        "scrollbar": "#30363d",
        "scrollbar-background": "#0d1117",
        "scrollbar-corner-color": "#0d1117",
    },
)

LIGHT = Theme(
    name="runqy-light",
    primary="#0b57d0",
    secondary="#5b6f8a",
    accent="#0b57d0",
    warning="#9a6700",
    error="#cf222e",
    success="#1a7f37",
    foreground="#1f2328",
    background="#ffffff",
    surface="#ffffff",
    panel="#f3f5f7",
    dark=False,
    variables={
        "busy": "#0969da",
        "muted": "#7d8590",
        "border": "#d0d7de",
        "border-blurred": "#d0d7de",
        "block-cursor-background": "#0969da",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#e6eaef",
        "footer-background": "#f3f5f7",
        "footer-key-foreground": "#0b57d0",
        "scrollbar": "#d0d7de",
        "scrollbar-background": "#ffffff",
        "scrollbar-corner-color": "#ffffff",
    },
)

DEFAULT_VARIABLES = {"busy": "#6cb6ff", "muted": "#808080"}
"""Values of our own variables under themes that are not ours."""
