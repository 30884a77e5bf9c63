// Drawing lines and zones over a picture, with mouse, finger and keyboard.
import { el } from "./dom.js";
import { NEAR, figure, sketch } from "./figures.js";
import { least, moved, snapped, within } from "./geometry.js";
import { Shapes } from "./shapes.js";

const LONG_MS = 600; // a long press
const REST_MS = 400; // arrow keys that rest for so long have done
const PALETTE = ["yellow", "green", "cyan", "orange", "magenta", "lime", "pink", "teal"];
const HINTS = {
  line: ["Click where the line begins.", "Click where the line ends.", "Enter or Done ends the line; a click adds a point."],
  zone: ["Click the first corner.", "Click the next corner.", "Click the next corner.", "Click the first corner, or Enter, to close the zone."],
};

export class Editor {
  constructor(sourceId, onchange) {
    this.changed = () => {
      this.keepSelection();
      this.render();
      onchange();
    };
    this.shapes = new Shapes(sourceId, this.changed);
    this.svg = el("svg", { class: "edit", role: "application", "aria-label": "Lines and zones on the picture", "aria-describedby": "hint", tabindex: "0" });
    this.selected = null; // id of a shape
    this.name = ""; // of that shape: a new one gets its id with the answer
    this.drawing = null; // {kind, points}
    this.pointer = null;
    this.drag = null;
    for (const [name, method] of Object.entries({ pointerdown: "down", pointermove: "move", pointerup: "up", pointercancel: "cancel", keydown: "key" })) {
      this.svg.addEventListener(name, (event) => this[method](event));
    }
    this.svg.addEventListener("contextmenu", (event) => event.preventDefault());
    new ResizeObserver(() => this.render()).observe(this.svg);
  }

  get size() {
    return this.shapes.size;
  }

  get scale() {
    return this.size ? this.size[0] / (this.svg.clientWidth || this.size[0]) : 1;
  }

  get busy() {
    return Boolean(this.drag || this.drawing);
  }

  get hint() {
    if (this.drawing) {
      const hints = HINTS[this.drawing.kind];
      return hints[Math.min(this.drawing.points.length, hints.length - 1)];
    }
    if (this.selected) return "Drag corners, edges or the whole. Delete or a long press removes.";
    return this.shapes.list.length ? "Click a line or zone to change it, or draw a new one." : "Choose Line or Zone, then click on the picture.";
  }

  select(id) {
    this.selected = id;
    this.name = this.shapes.get(id)?.name ?? "";
    this.changed();
  }

  keepSelection() {
    if (this.shapes.get(this.selected)) this.name = this.shapes.get(this.selected).name;
    else this.selected = this.shapes.list.find((shape) => shape.name === this.name)?.id ?? null;
  }

  async undo() {
    if (!this.drawing) return this.shapes.undo();
    this.drawing.points.pop();
    if (!this.drawing.points.length) this.drawing = null;
    this.changed();
  }

  // -- drawing

  begin(kind) {
    this.drawing = { kind, points: [] };
    this.selected = null;
    this.name = "";
    this.pointer = this.size.map((side) => side / 2);
    this.changed();
    this.svg.focus({ preventScroll: true });
    this.svg.scrollIntoView({ block: "nearest" });
  }

  add(point) {
    const { kind, points } = this.drawing;
    if (kind === "zone" && points.length >= 3 && this.near(point, points[0])) return this.finish();
    if (points.length && this.near(point, points[points.length - 1], 4)) return points.length >= least(kind) ? this.finish() : undefined;
    points.push(within(point, this.size));
    this.changed();
  }

  finish() {
    const { kind, points } = this.drawing;
    const { list, fixed } = this.shapes;
    const taken = new Set([...list, ...fixed].map((shape) => shape.name));
    let number = 1;
    while (taken.has(number === 1 ? kind : `${kind}${number}`)) number += 1;
    const used = list.map((shape) => shape.color);
    const uses = (color) => used.filter((each) => each === color).length;
    const color = PALETTE.reduce((best, each) => (uses(each) < uses(best) ? each : best));
    this.drawing = null;
    this.name = number === 1 ? kind : `${kind}${number}`;
    return this.shapes.add({ kind, name: this.name, points, in: "in", out: "out", towards: null, anchor: "bottom_center", classes: [], color, loiter: null });
  }

  cancel() {
    if (this.drag) this.shapes.list = this.drag.before;
    this.drag = null;
    this.drawing = null;
    clearTimeout(this.press);
    this.changed();
  }

  near(a, b, pixels = NEAR) {
    return Math.hypot(a[0] - b[0], a[1] - b[1]) <= pixels * this.scale;
  }

  // -- pointer

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.size[0], ((event.clientY - box.top) / box.height) * this.size[1]];
  }

  next(event) {
    const last = this.drawing.points[this.drawing.points.length - 1];
    return event.shiftKey && last ? snapped(last, this.at(event)) : this.at(event);
  }

  down(event) {
    if (!this.size || (event.button !== 0 && event.button !== 2)) return;
    if (this.drag?.keys) this.up();
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    if (this.drawing) return event.button === 2 ? void this.undo() : this.add(this.next(event));
    const { id = null, corner = null, middle = null } = event.target.closest("[data-id]")?.dataset ?? {};
    if (id !== this.selected && corner === null && middle === null) this.select(id);
    if (id === null) return;
    const [at, between] = [corner, middle].map((text) => (text === null ? null : Number(text)));
    if (event.button === 2) return void this.drop(id, at);
    this.svg.setPointerCapture(event.pointerId);
    const before = structuredClone(this.shapes.list);
    const points = structuredClone(this.shapes.get(id).points);
    this.drag = { id, corner: at, middle: between, from: this.at(event), points, before, moved: false };
    this.press = setTimeout(() => {
      if (!this.drag || this.drag.moved) return;
      this.drag = null;
      this.drop(id, at);
    }, LONG_MS);
  }

  // Remove a corner, or the whole where too few would be left or none is meant.
  drop(id, corner) {
    const shape = this.shapes.get(id);
    if (corner === null || shape.points.length <= least(shape.kind)) return this.shapes.remove(id);
    return this.shapes.change(id, { points: shape.points.filter((_, n) => n !== corner) });
  }

  move(event) {
    if (!this.size) return;
    if (this.drawing) {
      this.pointer = within(this.next(event), this.size);
      return this.render();
    }
    const { drag } = this;
    if (!drag?.from) return;
    const point = this.at(event);
    const step = [point[0] - drag.from[0], point[1] - drag.from[1]];
    if (!drag.moved && Math.hypot(...step) < 3 * this.scale) return;
    if (!drag.moved && drag.middle !== null) {
      drag.corner = drag.middle + 1;
      drag.points.splice(drag.corner, 0, [...drag.from]);
    }
    drag.moved = true;
    clearTimeout(this.press);
    const before = drag.points[drag.corner - 1] ?? drag.points[drag.points.length - 1];
    const goal = event.shiftKey ? snapped(before, point) : point;
    const points = drag.corner === null ? moved(drag.points, step, this.size) : drag.points.map((each, n) => (n === drag.corner ? within(goal, this.size) : each));
    this.shapes.list = this.shapes.list.map((shape) => (shape.id === drag.id ? { ...shape, points } : shape));
    this.render();
  }

  up() {
    clearTimeout(this.press);
    const { drag } = this;
    this.drag = null;
    if (!drag || !drag.moved) return;
    const { list } = this.shapes;
    this.shapes.list = drag.before;
    this.shapes.save(list);
  }

  // -- keyboard

  key(event) {
    const { key } = event;
    const step = (event.shiftKey ? 10 : 1) * Math.max(1, this.scale);
    const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[key];
    const command = event.ctrlKey || event.metaKey;
    const corner = event.target.dataset?.corner === undefined ? null : Number(event.target.dataset.corner);
    if (this.drag?.keys && !way && key !== "Shift" && key !== "Escape") this.up();
    if (command && key.toLowerCase() === "z") event.shiftKey ? this.shapes.redo() : this.undo();
    else if (command && key.toLowerCase() === "y") this.shapes.redo();
    else if (key === "Escape") this.busy ? this.cancel() : this.select(null);
    else if (this.drawing) {
      if (key === "Enter" && this.drawing.points.length >= least(this.drawing.kind)) this.finish();
      else if (key === "Backspace" || key === "Delete") this.undo();
      else if (key === " ") this.add(this.pointer);
      else if (way) {
        this.pointer = moved([this.pointer], way.map((part) => part * 5), this.size)[0];
        this.render();
      } else return;
    } else if (!this.selected) return;
    else if (key === "Delete" || key === "Backspace") this.drop(this.selected, corner);
    else if (way) this.nudge(way, corner);
    else return;
    event.preventDefault();
  }

  // Arrow keys drag, too; what they have done is one change, saved when they rest.
  nudge(way, corner) {
    const { list } = this.shapes;
    this.drag ??= { before: structuredClone(list), moved: true, keys: true };
    const shift = (points) => (corner === null ? moved(points, way, this.size) : points.map((each, n) => (n === corner ? moved([each], way, this.size)[0] : each)));
    this.shapes.list = list.map((shape) => (shape.id === this.selected ? { ...shape, points: shift(shape.points) } : shape));
    this.render();
    clearTimeout(this.press);
    this.press = setTimeout(() => this.up(), REST_MS);
  }

  render() {
    if (!this.size) return;
    const { fixed, list, problemAt } = this.shapes;
    const { corner } = document.activeElement?.closest?.("svg.edit [data-corner]")?.dataset ?? {};
    this.svg.setAttribute("viewBox", `0 0 ${this.size[0]} ${this.size[1]}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.classList.toggle("drawing", Boolean(this.drawing));
    const look = { scale: this.scale, size: this.size };
    const chosen = (shape) => shape.id !== undefined && shape.id === this.selected;
    const drawn = list.map((shape, n) => figure(shape, { ...look, selected: chosen(shape), handles: chosen(shape) && !this.drawing, bad: n === problemAt }));
    const top = list.findIndex(chosen);
    if (top >= 0) drawn.push(...drawn.splice(top, 1)); // its corners lie above other shapes
    this.svg.replaceChildren(...fixed.map((shape) => figure(shape, look)), ...drawn, ...(this.drawing ? sketch(this.drawing, this.pointer, this.scale) : []));
    if (corner !== undefined) (this.svg.querySelector(`[data-corner="${corner}"]`) ?? this.svg).focus({ preventScroll: true });
  }
}
