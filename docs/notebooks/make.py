"""Write the tutorial as a notebook in English and one in Spanish: ``python docs/notebooks/make.py``.

Both have the code cells below; what stands in pairs is text, English and Spanish.
"""

from __future__ import annotations

import json
from pathlib import Path

FILES = ("tutorial.ipynb", "tutorial.es.ipynb")
CELLS: list[str | tuple[str, str]] = [
    (
        """# Track and count people, step by step

This notebook follows people through a street that `track` renders itself, so no recording is needed. Install the
project and a notebook (`pip install -e . notebook`). The detector's weights (6 MB) are downloaded at the first run;
everything else works offline.

The same text in Spanish: [tutorial.es.ipynb](tutorial.es.ipynb).""",
        """# Seguir y contar personas, paso a paso

Este cuaderno sigue a personas por una calle que el propio `track` genera, así que no hace falta ninguna grabación.
Instala el proyecto y un cuaderno (`pip install -e . notebook`). Los pesos del detector (6 MB) se descargan la primera
vez; todo lo demás funciona sin conexión.

El mismo texto en inglés: [tutorial.ipynb](tutorial.ipynb).""",
    ),
    (
        """## 1. The video

`render` writes the clip and, beside it, what is true in it: who is where, and who crosses which line. We use its first
4.5 seconds; set `SECONDS = 10` for all of it.""",
        """## 1. El vídeo

`render` escribe el vídeo y, junto a él, la verdad: quién está dónde y quién cruza qué línea. Usamos los primeros 4,5
segundos; con `SECONDS = 10` se usa entero.""",
    ),
    """import json

from videos.street import render

SECONDS = 4.5
clip, truth_file = render("street")
truth = json.loads(truth_file.read_text("utf-8"))
print(clip, truth["width"], truth["height"], truth["fps"])""",
    (
        """## 2. The first picture

`track` yields one result per frame. A result shows itself as a picture with boxes and ids.""",
        """## 2. La primera imagen

`track` entrega un resultado por fotograma. Un resultado se muestra a sí mismo como imagen, con recuadros e id.""",
    ),
    """from tracker import track

run = track(clip, classes="person")
first = next(run)
run.close()
first""",
    (
        """## 3. The loop

A line across the pavement and a zone on it are plugins: they look at the tracks of every frame and report events. This
is the only run with the detector, which takes most of the time. So it writes what later steps need: detections, tracks,
and a report.""",
        """## 3. El bucle

Una línea que cruza la acera y una zona sobre ella son complementos (*plugins*): miran los objetos seguidos de cada
fotograma y avisan con eventos. Esta es la única pasada con el detector, que se lleva casi todo el tiempo. Por eso
escribe lo que necesitan los pasos siguientes: las detecciones, los recorridos y un informe.""",
    ),
    """from tracker import Line, Zone

bakery = Line([[200, 300], [200, 540]], name="bakery")
square = Zone([[380, 320], [560, 320], [560, 425], [380, 425]], name="square")
run = track(
    clip,
    classes="person",
    end=SECONDS,
    plugins=[bakery, square],
    save_detections="street/detections.parquet",
    save_csv="street/tracks.csv",
    report="street/report.html",
    overwrite=True,
)

events, present = [], []
for result in run:
    present.append((result.frame.time, len(result.tracks)))
    for event in result.events:
        print(f"{event.time:5.2f} s  {event.kind:10}  id {event.track_id}")
        events.append(event)
events += run.last_events
result""",
    (
        """## 4. Count at the line, and check it

"In" leads to the right here. The truth knows the frame of each crossing; `+` means to the right.""",
        """## 4. Contar en la línea, y comprobarlo

Aquí *in* es hacia la derecha. La verdad conoce el fotograma de cada cruce; `+` significa hacia la derecha.""",
    ),
    """(line,) = (line for line in truth["lines"] if line["name"] == "bakery")
signs = [sign for frame, sign in line["event_frames"] if frame < SECONDS * truth["fps"]]
true = {"in": signs.count("+"), "out": signs.count("-")}
counted = {direction: bakery.total(direction) for direction in ("in", "out")}
assert counted == true, (counted, true)
counted""",
    (
        """## 5. Time in the zone

A visit ends with an event that has its duration. The ground truth of these visits is 1.48 s and 1.52 s.""",
        """## 5. Tiempo dentro de la zona

Una visita termina con un evento que lleva su duración. En realidad, estas visitas duran 1,48 s y 1,52 s.""",
    ),
    """stays = [event.data["dwell_s"] for event in events if event.kind == "zone.exit"]
print(square.entries, square.visitors, stays)
print(square.dwell.quantile(0.5))""",
    (
        """## 6. A table

`street/tracks.csv` has one row per object and frame. polars, which `track` needs anyway, reads it: when each person was
seen first and last, in seconds.""",
        """## 6. Una tabla

`street/tracks.csv` tiene una fila por objeto y fotograma. La lee polars, que `track` necesita de todos modos: cuándo se
vio a cada persona por primera y por última vez, en segundos.""",
    ),
    """import polars as pl

rows = pl.read_csv("street/tracks.csv")
time = pl.col("time_s")
seen = [time.min().alias("first"), time.max().alias("last"), pl.len().alias("frames")]
rows.group_by("tracker_id").agg(seen).sort("tracker_id")""",
    (
        """## 7. A chart

How many people were in the picture at each moment; dashed: a crossing.""",
        """## 7. Un gráfico

Cuántas personas había en la imagen en cada momento; en trazos, los cruces.""",
    ),
    """%matplotlib inline
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(8, 2.5))
axes.step(*zip(*present, strict=True), where="post")
for event in events:
    if event.kind.startswith("line."):
        axes.axvline(event.data["crossed_s"], linestyle="--", color="gray")
axes.set(xlabel="s", ylim=(0, None))
plt.show()""",
    (
        """## 8. Another line, without the detector

`track replay` counts again from stored tracks. In a terminal this is `track replay street/tracks.csv --line ...`.""",
        """## 8. Otra línea, sin el detector

`track replay` cuenta de nuevo a partir de los recorridos guardados. En una terminal se escribe
`track replay street/tracks.csv --line ...`.""",
    ),
    """import subprocess
import sys

words = ["replay", "street/tracks.csv", "--size", "960x540", "--line", "corner=700,300 700,425"]
command = [sys.executable, "-m", "tracker", *words]
print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)""",
    (
        """## 9. Another threshold, without the detector

Detections are what the detector found before anything was tracked. From these, another tracker, threshold or class can
be tried in no time. With a higher `conf`, fewer people are found.""",
        """## 9. Otro umbral, sin el detector

Las detecciones son lo que encontró el detector, antes de seguir nada. Con ellas se prueba enseguida otro algoritmo de
seguimiento, otro umbral u otra clase. Con un `conf` más alto se encuentran menos personas.""",
    ),
    """for conf in (0.25, 0.5, 0.8):
    again = track(clip, detections="street/detections.parquet", classes="person", end=SECONDS, conf=conf)
    ids = {int(track_id) for result in again for track_id in result.tracks.track_id}
    print(conf, len(ids))""",
    (
        """## 10. A plugin of your own

A class with a method `update` is enough. This one reports each change of the number of people in the picture, and draws
the number.""",
        """## 10. Un complemento propio

Basta una clase con un método `update`. Esta avisa cada vez que cambia el número de personas en la imagen, y dibuja
el número.""",
    ),
    '''from dataclasses import dataclass

from tracker.types import Event


@dataclass
class Headcount:
    """Reports each change of the number of people."""

    people: int = 0

    def update(self, frame, tracks):
        """Compare with the frame before."""
        if len(tracks) != self.people:
            self.people = len(tracks)
            yield Event("headcount", frame.time, frame.index, data={"people": self.people})

    def draw(self, canvas):
        """Show the number in the picture."""
        canvas.table("headcount", [("people", str(self.people))])


stored = "street/detections.parquet"
for result in track(clip, detections=stored, classes="person", end=SECONDS, plugins=[Headcount()]):
    for event in result.events:
        print(f"{event.time:5.2f} s", event.data)
result''',
    (
        """## 11. The report

The run in step 3 also wrote a report: one file with charts, settings, and how sure the counts are.""",
        """## 11. El informe

La pasada del punto 3 escribió también un informe: un solo archivo con gráficos, ajustes y cuán seguros son los
números. Está en inglés.""",
    ),
    """import html
from pathlib import Path

from IPython.display import HTML

page = html.escape(Path("street/report.html").read_text("utf-8"))
HTML(f'<div><iframe srcdoc="{page}" title="report" width="100%" height="600"></iframe></div>')""",
    (
        """## Read on

[Counting](../counting.md), [zones](../zones.md), [plugins](../plugins.md), and [how far to trust the
numbers](../../README.md#how-far-to-trust-the-numbers).""",
        """## Para seguir leyendo

[Hasta dónde fiarse de los números](../../README.es.md#hasta-dónde-fiarse-de-los-números); en inglés,
[contar](../counting.md), [zonas](../zones.md) y [complementos](../plugins.md).""",
    ),
]


def notebook(language: int) -> str:
    """Return the file in one language, 0 or 1: text and code without any output."""
    cells: list[dict[str, object]] = []
    for number, cell in enumerate(CELLS):
        source = cell if isinstance(cell, str) else cell[language]
        common = {"id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
        if isinstance(cell, str):
            cells.append({"cell_type": "code", "execution_count": None, "outputs": [], **common})
        else:
            cells.append({"cell_type": "markdown", **common})
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for language, file in enumerate(FILES):
        Path(__file__).with_name(file).write_text(notebook(language), "utf-8")
