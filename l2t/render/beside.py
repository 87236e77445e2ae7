"""Heads side by side in one picture, each under its title: in step without a script's help."""

from collections.abc import Iterator, Sequence

import numpy as np

# A line before each title in the colour of its curve in the page's plot, the second one dashed:
# blue-green and orange stay apart for the colour-blind, and the dashes for everybody else.
LINES = ((63, 208, 191), (255, 170, 77))  # sRGB
TEXT, GROUND = (255, 255, 255, 255), (14, 20, 32, 170)  # sRGB and opacity, 0..255
HEIGHT, INSET, LETTER = 0.075, 0.03, 0.042  # strip, space around it, letters: share of a head


def side_by_side(
    heads: Sequence[Iterator[np.ndarray]], titles: Sequence[str] = ()
) -> Iterator[np.ndarray]:
    """Pictures of all heads beside each other, (size, heads * size, 3) uint8.

    heads: equally many (size, size, 3) uint8 pictures from each. titles: one a head, or none; one
    head without a title passes through unchanged.
    """
    strips = None
    for pictures in zip(*heads, strict=True):
        if titles and strips is None:
            strips = [Strip(title, i, len(pictures[0])) for i, title in enumerate(titles)]
        for picture, strip in zip(pictures, strips or [], strict=False):
            strip.put_on(picture)
        yield np.hstack(pictures) if len(pictures) > 1 else pictures[0]


class Strip:
    """A title with its line on a dark ground, painted once and laid over every picture."""

    def __init__(self, title: str, number: int, size: int):
        """number: of the head from the left; size: pixels a side of its picture."""
        from PIL import Image, ImageDraw, ImageFont

        high, inset, letter = (round(share * size) for share in (HEIGHT, INSET, LETTER))
        font = ImageFont.load_default(letter)
        wide = min(round(font.getlength(title)) + 4 * letter, size - 2 * inset)
        image = Image.new("RGBA", (wide, high))
        pen, middle = ImageDraw.Draw(image), high // 2
        pen.rounded_rectangle((0, 0, wide - 1, high - 1), high // 4, GROUND)
        for left, right in ((0.8, 2.4),) if number == 0 else ((0.8, 1.4), (1.8, 2.4)):
            box = (left * letter, middle - letter // 6, right * letter, middle + letter // 6)
            pen.rectangle(box, LINES[number % len(LINES)])
        pen.text((3 * letter, middle), title, TEXT, font, anchor="lm")
        rgba = np.asarray(image, np.float32)
        self._cover = rgba[..., 3:] / 255
        self._paint = rgba[..., :3] * self._cover
        self._rows, self._columns = slice(inset, inset + high), slice(inset, inset + wide)

    def put_on(self, picture: np.ndarray) -> None:
        """Paint it into the upper left corner of a (size, size, 3) uint8 picture."""
        place = picture[self._rows, self._columns]
        place[:] = (place * (1 - self._cover) + self._paint + 0.5).astype(np.uint8)
