"""How plots are drawn: one style, and SVG that takes the page's colours, light or dark.

Colours are drawn as placeholders and replaced in the SVG by ``var(--name, fallback)``: inside the page the style sheet
decides, in a file of its own the fallback does. PNG (for W&B) is drawn in the light colours.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from resa.types import Score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIGHT: Mapping[str, str] = {
    "ink": "#1c2330",
    "quiet": "#5b6576",
    "line": "#d5dae2",
    "base": "#6b7280",
    "method": "#0b66b0",
    "better": "#0f7b5f",
    "worse": "#b4480b",
    "paper": "#ffffff",
}
"""Name -> colour. The green and the orange differ in lightness and hue (told apart by colour-blind readers), and a sign
or an arrow always says the same."""
PLACEHOLDERS: Mapping[str, str] = {name: f"#0{i}0b0c" for i, name in enumerate(LIGHT)}
FONTS = ["DejaVu Sans"]
PAGE_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


@contextmanager
def style(colours: Mapping[str, str]) -> Iterator[None]:
    """Matplotlib set up for one figure; what was set before comes back."""
    import matplotlib

    settings: dict[str, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": FONTS,
        "font.size": 9,
        "axes.edgecolor": colours["line"],
        "axes.labelcolor": colours["quiet"],
        "axes.titlecolor": colours["ink"],
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": colours["line"],
        "grid.linewidth": 0.6,
        "text.color": colours["ink"],
        "xtick.color": colours["quiet"],
        "ytick.color": colours["quiet"],
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "resa",
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
    }
    with matplotlib.rc_context(settings):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` x ``height`` inches that no window system and no global list knows of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bars(score: Score) -> list[list[float]] | None:
    """Distances from a value to its interval's ends, as matplotlib takes them; None where there is no interval."""
    if score.value is None or score.low is None or score.high is None:
        return None
    return [[max(0.0, score.value - score.low)], [max(0.0, score.high - score.value)]]


def to_png(figure: Figure, dpi: int = 160) -> bytes:
    """The figure on white."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, facecolor=LIGHT["paper"], metadata={"Software": None})
    return stream.getvalue()


def to_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """An ``<svg>`` element for a page: no prolog, no metadata, ids of its own, colours by CSS variable.

    Args:
        figure: drawn with the colours of :data:`PLACEHOLDERS`.
        name: prefix of its ids. title, description: what a screen reader says.
    """
    from html import escape

    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(stream, format="svg", metadata=nothing)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    for colour, placeholder in PLACEHOLDERS.items():
        svg = svg.replace(placeholder, f"var(--{colour}, {LIGHT[colour]})")
    svg = re.sub(r"(font(?:-family)?: [^;\"]*?)'DejaVu Sans'(?:, [^;\"]*)?", rf"\1{PAGE_FONT}", svg)
    head = svg.index(">")
    opening = re.sub(r' (?:width|height)="[^"]*"', "", svg[:head])
    label = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    labelled = f'{opening} role="img" aria-labelledby="{name}-title {name}-desc"'
    return f"{labelled}>{label}{svg[head + 1 :]}"
