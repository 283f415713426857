"""A QR code as a picture that a browser draws."""

from __future__ import annotations

from reportlab.graphics import renderSVG
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import white

SIDE = 220  # of the drawing, in its own units


def qr_svg(text: str) -> str:
    """The SVG of a QR code with the text, dark on white with its quiet zone (ISO/IEC 18004)."""
    code = QrCodeWidget(text, barLevel="M", barWidth=SIDE, barHeight=SIDE)
    drawing = Drawing(SIDE, SIDE)
    drawing.add(Rect(0, 0, SIDE, SIDE, fillColor=white, strokeColor=None))
    drawing.add(code)
    svg: str = renderSVG.drawToString(drawing)
    return svg[svg.index("<svg") :]
