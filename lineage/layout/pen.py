"""The data of SVG paths, written as short as whole numbers allow: relative to where the pen is."""


class Pen:
    """Draws a line from a first point on. What is level is one command, in however many steps it was drawn."""

    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y
        self._text = f"M{x} {y}"
        self._level = 0

    @property
    def path(self) -> str:
        return self._text + (f"h{self._level}" if self._level else "")

    def level(self, x: int) -> None:
        self._level += x - self.x
        self.x = x

    def upright(self, y: int) -> None:
        if y != self.y:
            self._draw("v", y - self.y)
        self.y = y

    def quadratic(self, *points: tuple[int, int]) -> None:
        """A curve by its control point and its end."""
        self._curve("q", points)

    def cubic(self, *points: tuple[int, int]) -> None:
        """A curve by its two control points and its end."""
        self._curve("c", points)

    def _curve(self, command: str, points: tuple[tuple[int, int], ...]) -> None:
        self._draw(command, *(number for x, y in points for number in (x - self.x, y - self.y)))
        self.x, self.y = points[-1]

    def _draw(self, command: str, *numbers: int) -> None:
        text = " ".join(map(str, numbers)).replace(" -", "-")
        self._text = f"{self.path}{command}{text}"
        self._level = 0
