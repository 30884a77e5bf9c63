"""The street of the sample clip: a photographed facade and pavement, a painted road, a lamppost, a pillar."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from videos.cast import Floats, Picture, photo

WIDTH, HEIGHT = 960, 540  # pixels
HORIZON = 100.0  # row of the horizon, pixels
TALL = 0.6  # height of a person per pixel between horizon and feet: a camera 2.9 m above the ground
FAR_PAVEMENT, ROAD, NEAR_PAVEMENT = 292, 340, 424  # first rows


@dataclass(frozen=True)
class Thing:
    """Something that stands in the way: a picture with coverage, and the row where it touches the ground."""

    bgra: Floats  # (h, w, 4) premultiplied
    left: int
    top: int
    ground: float


def background() -> Picture:
    """Return the empty street, (HEIGHT, WIDTH, 3) BGR."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    source = photo()
    facade = cv2.resize(source[38:228], (WIDTH, 225), interpolation=cv2.INTER_CUBIC)
    picture[:225] = facade
    wall = facade[60:120, 290:380].reshape(-1, 3).mean(axis=0)
    _ground_floor(picture, wall.astype(np.float32))
    rng = np.random.default_rng(7)
    for top, bottom, color, grain in (
        (FAR_PAVEMENT, ROAD - 6, (176, 182, 186), 5.0),
        (ROAD - 6, ROAD, (205, 208, 210), 3.0),
        (ROAD, NEAR_PAVEMENT - 8, (96, 92, 90), 6.0),
        (NEAR_PAVEMENT - 8, NEAR_PAVEMENT, (200, 204, 208), 3.0),
    ):
        noise = cv2.GaussianBlur(rng.normal(0, grain, (bottom - top, WIDTH, 1)), (0, 0), 0.8)
        light = np.linspace(0.94, 1.04, bottom - top)[:, None, None]
        picture[top:bottom] = np.clip(
            (np.array(color) + noise.reshape(bottom - top, WIDTH, 1)) * light, 0, 255
        )
    for left in range(-40, WIDTH, 150):  # lane marks, broader below: nearer
        mark = [[left + 14, 377], [left + 84, 377], [left + 78, 383], [left + 4, 383]]
        cv2.fillPoly(picture, [np.array(mark)], (190, 192, 192), cv2.LINE_AA)
    tiles = cv2.resize(source[800:1078, 310:660], (WIDTH // 2, HEIGHT - NEAR_PAVEMENT))
    picture[NEAR_PAVEMENT:] = np.roll(np.concatenate([tiles, tiles[:, ::-1]], axis=1), 170, axis=1)
    for x in range(-400, WIDTH + 400, 64):  # joints of the far slabs run to the vanishing point
        end = WIDTH / 2 + (x - WIDTH / 2) * (ROAD - 6 - HORIZON) / (FAR_PAVEMENT - HORIZON)
        cv2.line(picture, (x, FAR_PAVEMENT), (round(end), ROAD - 7), (150, 155, 160), 1, cv2.LINE_AA)
    return picture


def _ground_floor(picture: Picture, wall: Floats) -> None:
    top, bottom = 225, FAR_PAVEMENT
    picture[top:bottom] = np.clip(wall * np.linspace(0.92, 0.8, bottom - top)[:, None, None], 0, 255)
    picture[bottom - 16 : bottom] = (118, 124, 130)  # socle
    for index, left in enumerate(range(30, 700, 155)):  # bare wall behind the shelter
        right = left + (58 if index % 3 == 1 else 104)
        low = bottom if index % 3 == 1 else bottom - 20  # every third is a door
        glass = np.linspace((66, 58, 50), (38, 34, 32), low - top - 12)[:, None]
        picture[top + 12 : low, left:right] = glass
        cv2.rectangle(picture, (left, top + 12), (right, low - 1), (52, 82, 40), 3, cv2.LINE_AA)
        cv2.line(picture, ((left + right) // 2, top + 12), ((left + right) // 2, low), (52, 82, 40), 2)
        cv2.line(picture, (left + 8, low - 6), (left + 30, top + 18), (96, 90, 84), 2, cv2.LINE_AA)
    for x in range(0, WIDTH, 24):  # awning, striped
        stripe = (60, 60, 150) if x // 24 % 2 else (222, 226, 230)
        shape = [[x, top - 12], [x + 24, top - 12], [x + 26, top + 12], [x + 14, top + 18], [x + 2, top + 12]]
        cv2.fillPoly(picture, [np.array(shape)], stripe, cv2.LINE_AA)
    shade = picture[top + 18 : top + 30].astype(np.float32) * 0.7
    picture[top + 18 : top + 30] = shade.astype(np.uint8)


def lamppost(x: int = 592, ground: int = 427, shaft: int = 10) -> Thing:
    """Return a cast-iron lamppost on the near kerb: people behind it are half hidden."""
    top, half = 40, 60
    canvas = np.zeros((ground - top + 4, 2 * half, 4), np.uint8)
    iron, h = (58, 62, 50, 255), ground - top
    for width, start, end in ((7, 60, 90), (shaft, 84, h), (shaft + 3, h - 70, h), (shaft + 9, h - 14, h)):
        cv2.rectangle(canvas, (half - width, start), (half + width, end), iron, -1)
    for y in (84, h - 72):
        cv2.ellipse(canvas, (half, y), (shaft + 4, 5), 0, 0, 360, (74, 80, 66, 255), -1, cv2.LINE_AA)
    cv2.fillPoly(
        canvas, [np.array([[half - 16, 60], [half + 16, 60], [half + 26, 12], [half - 26, 12]])], iron
    )
    cv2.fillPoly(
        canvas, [np.array([[half - 11, 56], [half + 11, 56], [half + 20, 18], [half - 20, 18]])],
        (196, 226, 236, 255),
    )  # fmt: skip
    cv2.fillPoly(canvas, [np.array([[half - 28, 12], [half + 28, 12], [half, 0]])], iron)
    return _thing(_rounded(canvas, half, shaft + 1.0), x - half, top, ground)


def pillar(x: int = 300, ground: int = 352) -> Thing:
    """Return an advertising pillar on the far kerb: who passes behind it is gone for a while."""
    half, top = 17, 150
    canvas = np.zeros((ground - top + 4, 2 * half, 4), np.uint8)
    h = ground - top
    cv2.rectangle(canvas, (2, 20), (2 * half - 3, h), (92, 104, 74, 255), -1)
    for y, color in ((34, (64, 138, 208)), (84, (168, 112, 60)), (134, (96, 150, 96))):
        cv2.rectangle(canvas, (4, y), (half + 5, y + 44), (*color, 255), -1)
        cv2.rectangle(canvas, (half + 8, y + 4), (2 * half - 4, y + 40), (206, 214, 220, 255), -1)
        for row in range(y + 8, y + 38, 7):
            cv2.line(canvas, (8, row), (half, row), (228, 232, 234, 255), 2)
            cv2.line(canvas, (half + 10, row), (2 * half - 7, row), (90, 90, 96, 255), 1)
    cv2.rectangle(canvas, (0, h - 14), (2 * half - 1, h), (70, 76, 70, 255), -1)
    cv2.ellipse(canvas, (half, 20), (half - 1, 9), 0, 0, 360, (80, 92, 64, 255), -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (half, 12), (half // 2, 12), 0, 180, 360, (80, 92, 64, 255), -1, cv2.LINE_AA)
    return _thing(_rounded(canvas, half, float(half)), x - half, top, ground)


def _rounded(canvas: Picture, middle: int, radius: float) -> Picture:
    """Shade columns as light from the left falls on a cylinder."""
    across = np.clip((np.arange(canvas.shape[1]) - middle) / radius, -1, 1)
    light = 0.62 + 0.5 * np.sqrt(np.maximum(1 - (across + 0.35) ** 2 / 1.9, 0))
    canvas[..., :3] = np.clip(canvas[..., :3] * light[None, :, None], 0, 255).astype(np.uint8)
    return canvas


def _thing(canvas: Picture, left: int, top: int, ground: int) -> Thing:
    soft = cv2.GaussianBlur(canvas, (0, 0), 0.6).astype(np.float32)
    cover = soft[..., 3:] / 255
    bgr = cv2.GaussianBlur(canvas[..., :3], (0, 0), 0.6).astype(np.float32)  # black outside: premultiplied
    return Thing(np.dstack([bgr, cover]).astype(np.float32), left, top, float(ground))


def shelter(x: int = 800, ground: int = 350, milk: float = 0.68) -> Thing:
    """Return a bus shelter with a wall of milky glass: who waits behind it is seen, but not well."""
    half, top = 62, 182
    h = ground - top
    canvas = np.zeros((h + 4, 2 * half, 4), np.uint8)
    across = (np.arange(2 * half) - half) / 26  # frosted most in the middle, without an edge
    pane = canvas[12 : h - 14, 4:-4]
    pane[..., :3] = (222, 226, 220)
    pane[..., 3] = (255 * (0.57 + (milk - 0.57) * np.exp(-(across**2))))[4:-4]
    frame = (176, 178, 176, 255)  # pale and thin: a dark post beside a dark coat is a coat to a network
    for left in (3, 2 * half - 5):
        cv2.rectangle(canvas, (left, 6), (left + 1, h), frame, -1)
    cv2.rectangle(canvas, (0, 0), (2 * half - 1, 11), frame, -1)
    cv2.rectangle(canvas, (4, h - 16), (2 * half - 5, h - 12), frame, -1)
    return _glass(canvas, x - half, top, ground)


def _glass(canvas: Picture, left: int, top: int, ground: int) -> Thing:
    cover = canvas[..., 3:].astype(np.float32) / 255
    return Thing(np.dstack([canvas[..., :3] * cover, cover]).astype(np.float32), left, top, float(ground))
