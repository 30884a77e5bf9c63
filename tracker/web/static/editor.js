// Drawing lines and zones over a picture, with mouse, finger and keyboard. What is done is saved at once.
import { Problem, ask } from "./api.js";
import { el, hex } from "./dom.js";
import { arrow, least, snapped, turned, within } from "./geometry.js";

const NEAR = 14; // pixels of the screen around a corner
const LONG_MS = 600; // a long press
const PALETTE = ["yellow", "green", "cyan", "orange", "magenta", "lime", "pink", "teal"];
const HINTS = {
  line: ["Click where the line begins.", "Click where it ends.", "Click for another point; Enter or Done ends the line."],
  zone: ["Click the first corner.", "Click the next corner.", "Click the next corner; the first one or Enter closes the zone."],
};

export class Editor {
  // `host` answers: sourceId, size [w, h], onchange()
  constructor(sourceId, onchange) {
    this.sourceId = sourceId;
    this.onchange = onchange;
    this.svg = el("svg", { class: "edit", role: "application", "aria-label": "Lines and zones on the picture", tabindex: "0" });
    this.shapes = [];
    this.fixed = [];
    this.versions = [];
    this.version = "";
    this.size = null;
    this.selected = null;
    this.drawing = null; // {kind, points}
    this.pointer = null;
    this.problem = "";
    this.problemAt = null;
    this.conflict = false;
    this.saving = 0; // how many changes are on their way
    this.line = Promise.resolve();
    this.answered = [];
    this.past = [];
    this.future = [];
    this.drag = null;
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerup", (event) => this.up(event));
    this.svg.addEventListener("pointercancel", () => this.cancel());
    this.svg.addEventListener("contextmenu", (event) => event.preventDefault());
    this.svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.render()).observe(this.svg);
  }

  async load() {
    this.take(await ask(`sources/${this.sourceId}/shapes`));
    this.conflict = false;
    this.problem = "";
  }

  take(answer) {
    const name = this.selected && this.shapes.find((shape) => shape.id === this.selected)?.name;
    this.answered = answer.shapes;
    if (this.saving <= 1) this.shapes = answer.shapes; // else something newer is on its way
    this.fixed = answer.fixed;
    this.version = answer.version;
    this.versions = answer.versions;
    this.size = answer.size;
    this.file = answer.file;
    if (!this.shapes.some((shape) => shape.id === this.selected)) {
      this.selected = this.shapes.find((shape) => shape.name === name)?.id ?? null;
    }
    this.render();
    this.onchange();
  }

  // Another tab, or a program, has changed the file.
  seen(version) {
    if (version !== this.version && !this.saving && !this.drag && !this.drawing && !this.problem) this.load().catch(() => {});
  }

  get scale() {
    return this.size ? this.size[0] / (this.svg.clientWidth || this.size[0]) : 1;
  }

  // -- saving

  // One after the other: each needs the version, and the ids, that the one before was answered with.
  save(shapes, options = {}) {
    const before = structuredClone(this.saved ?? this.shapes);
    this.shapes = shapes;
    this.saving += 1;
    const saved = this.line.then(() => this.put(shapes, before, options)).finally(() => (this.saving -= 1));
    this.line = saved.catch(() => {});
    return saved;
  }

  async put(given, before, { remember = true }) {
    const ids = new Map(this.answered.map((shape) => [shape.name, shape.id]));
    const shapes = given.map((shape) => ({ ...shape, id: shape.id ?? ids.get(shape.name) }));
    this.problem = "";
    this.problemAt = null;
    try {
      const answer = await ask(`sources/${this.sourceId}/shapes`, "PUT", { version: this.version, shapes });
      if (remember) {
        this.past.push(before);
        this.future = [];
      }
      this.saved = null;
      this.take(answer);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.saved = before; // what the server has; the page shows what is wrong until it is put right or undone
      this.problem = error.message;
      this.problemAt = error.index ?? null;
      this.conflict = error.status === 409;
      this.render();
      this.onchange();
      return false;
    }
  }

  async undo() {
    await this.line;
    if (this.drawing) {
      this.drawing.points.pop();
      if (!this.drawing.points.length) this.drawing = null;
      this.render();
      return this.onchange();
    }
    if (this.saved) {
      this.shapes = this.saved;
      this.saved = null;
      this.problem = "";
      this.problemAt = null;
      this.render();
      return this.onchange();
    }
    await this.travel(this.past, this.future);
  }

  async redo() {
    await this.line;
    return this.travel(this.future, this.past);
  }

  async travel(from, to) {
    const shapes = from.pop();
    if (!shapes) return;
    const now = structuredClone(this.shapes);
    const ids = new Map(this.shapes.map((shape) => [shape.name, shape.id]));
    const known = new Set(this.shapes.map((shape) => shape.id));
    const wanted = shapes.map((shape) => ({ ...shape, id: known.has(shape.id) ? shape.id : ids.get(shape.name) }));
    if (await this.save(wanted, { remember: false })) to.push(now);
    else from.push(shapes);
  }

  async bringBack(name) {
    await this.line;
    try {
      this.take(await ask(`sources/${this.sourceId}/shapes/restore`, "POST", { name, version: this.version }));
    } catch (error) {
      this.problem = error.message;
      this.conflict = error.status === 409;
      this.onchange();
    }
  }

  change(id, values) {
    return this.save(this.shapes.map((shape) => (shape.id === id ? { ...shape, ...values } : shape)));
  }

  turn(id) {
    return this.change(id, { towards: turned(this.shapes.find((shape) => shape.id === id)) });
  }

  remove(id) {
    return this.save(this.shapes.filter((shape) => shape.id !== id));
  }

  // -- drawing

  begin(kind) {
    this.drawing = { kind, points: [] };
    this.selected = null;
    this.pointer = this.size.map((side) => side / 2);
    this.render();
    this.onchange();
    this.svg.focus();
  }

  get hint() {
    if (this.drawing) return HINTS[this.drawing.kind][Math.min(this.drawing.points.length, 2)];
    if (this.selected) return "Drag corners, the middles of edges or the whole. Delete, a right click or a long press removes.";
    return "Choose a shape, or draw a new one.";
  }

  add(point) {
    const { kind, points } = this.drawing;
    if (kind === "zone" && points.length >= 3 && this.near(point, points[0])) return this.finish();
    if (points.length && this.near(point, points[points.length - 1], 4)) return points.length >= least(kind) ? this.finish() : undefined;
    points.push(within(point, this.size));
    this.render();
    this.onchange();
  }

  async finish() {
    const { kind, points } = this.drawing;
    this.drawing = null;
    const taken = new Set([...this.shapes, ...this.fixed].map((shape) => shape.name));
    let number = 1;
    while (taken.has(number === 1 ? kind : `${kind}${number}`)) number += 1;
    const used = new Set(this.shapes.map((shape) => shape.color));
    const color = PALETTE.find((each) => !used.has(each)) || PALETTE[0];
    const name = number === 1 ? kind : `${kind}${number}`;
    const shape = { kind, name, points, in: "in", out: "out", towards: null, anchor: "bottom_center", classes: [], color, loiter: null };
    if (await this.save([...this.shapes, shape])) {
      this.selected = this.shapes.find((each) => each.name === name)?.id ?? null;
      this.render();
      this.onchange();
    }
  }

  cancel() {
    if (this.drag) this.shapes = this.drag.before;
    this.drag = null;
    this.drawing = null;
    clearTimeout(this.press);
    this.render();
    this.onchange();
  }

  near(a, b, pixels = NEAR) {
    return Math.hypot(a[0] - b[0], a[1] - b[1]) <= pixels * this.scale;
  }

  // -- pointer

  at(event) {
    const box = this.svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.size[0], ((event.clientY - box.top) / box.height) * this.size[1]];
  }

  down(event) {
    if (!this.size || (event.button !== 0 && event.button !== 2)) return;
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    const point = this.at(event);
    if (this.drawing) {
      if (event.button === 2) return void this.undo();
      const last = this.drawing.points[this.drawing.points.length - 1];
      return this.add(event.shiftKey && last ? snapped(last, point) : point);
    }
    const target = event.target.closest("[data-id]");
    const id = target?.dataset.id ?? null;
    const corner = target?.dataset.corner === undefined ? null : Number(target.dataset.corner);
    const middle = target?.dataset.middle === undefined ? null : Number(target.dataset.middle);
    if (id !== this.selected && corner === null && middle === null) {
      this.selected = id;
      this.render();
      this.onchange();
    }
    if (id === null) return;
    if (event.button === 2) return void this.drop(id, corner);
    this.svg.setPointerCapture(event.pointerId);
    const before = structuredClone(this.shapes);
    const shape = this.shapes.find((each) => each.id === id);
    this.drag = { id, corner, middle, from: point, points: structuredClone(shape.points), before, moved: false };
    this.press = setTimeout(() => {
      if (this.drag && !this.drag.moved) {
        this.drag = null;
        this.drop(id, corner);
      }
    }, LONG_MS);
  }

  // Remove a corner, or the whole where too few would be left or none is meant.
  drop(id, corner) {
    const shape = this.shapes.find((each) => each.id === id);
    if (corner === null || shape.points.length <= least(shape.kind)) return this.remove(id);
    return this.change(id, { points: shape.points.filter((_, n) => n !== corner) });
  }

  move(event) {
    if (!this.size) return;
    const point = this.at(event);
    if (this.drawing) {
      const last = this.drawing.points[this.drawing.points.length - 1];
      this.pointer = within(event.shiftKey && last ? snapped(last, point) : point, this.size);
      return this.render();
    }
    if (!this.drag) return;
    const { drag } = this;
    const step = [point[0] - drag.from[0], point[1] - drag.from[1]];
    if (!drag.moved && Math.hypot(...step) < 3 * this.scale) return;
    if (!drag.moved && drag.middle !== null) {
      drag.points.splice(drag.middle + 1, 0, [...drag.from]);
      drag.corner = drag.middle + 1;
    }
    drag.moved = true;
    clearTimeout(this.press);
    let points;
    if (drag.corner !== null) {
      const old = drag.points[drag.corner - 1] ?? drag.points[drag.points.length - 1];
      const goal = event.shiftKey ? snapped(old, point) : point;
      points = drag.points.map((each, n) => (n === drag.corner ? within(goal, this.size) : each));
    } else {
      const xs = drag.points.map((each) => each[0]);
      const ys = drag.points.map((each) => each[1]);
      const dx = Math.min(Math.max(step[0], -Math.min(...xs)), this.size[0] - Math.max(...xs));
      const dy = Math.min(Math.max(step[1], -Math.min(...ys)), this.size[1] - Math.max(...ys));
      points = drag.points.map(([x, y]) => within([x + dx, y + dy], this.size));
    }
    this.shapes = this.shapes.map((shape) => (shape.id === drag.id ? { ...shape, points } : shape));
    this.render();
  }

  up() {
    clearTimeout(this.press);
    const { drag } = this;
    this.drag = null;
    if (!drag || !drag.moved) return;
    const shapes = this.shapes;
    this.shapes = drag.before;
    this.save(shapes);
  }

  // -- keyboard

  key(event) {
    const step = (event.shiftKey ? 10 : 1) * Math.max(1, this.scale);
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "z") this[event.shiftKey ? "redo" : "undo"]();
    else if (command && event.key.toLowerCase() === "y") this.redo();
    else if (event.key === "Escape") this.drawing || this.drag ? this.cancel() : this.select(null);
    else if (event.key === "Enter" && this.drawing) {
      if (this.drawing.points.length >= least(this.drawing.kind)) this.finish();
      else return;
    } else if (event.key === " " && this.drawing) this.add(this.pointer);
    else if (way && this.drawing) {
      this.pointer = within([this.pointer[0] + way[0] * step * 5, this.pointer[1] + way[1] * step * 5], this.size);
      this.render();
    } else if ((event.key === "Delete" || event.key === "Backspace") && this.selected && !this.drawing) {
      const corner = event.target.dataset?.corner;
      this.drop(this.selected, corner === undefined ? null : Number(corner));
    } else if (way && this.selected && !this.drawing) this.nudge(event.target.dataset?.corner, way, step);
    else return;
    event.preventDefault();
  }

  nudge(corner, way, step) {
    const shape = this.shapes.find((each) => each.id === this.selected);
    const points = shape.points.map(([x, y], n) =>
      corner === undefined || Number(corner) === n ? within([x + way[0] * step, y + way[1] * step], this.size) : [x, y],
    );
    this.change(shape.id, { points }).then(() => this.svg.querySelector(`[data-corner="${corner}"]`)?.focus());
  }

  select(id) {
    this.selected = id;
    this.render();
    this.onchange();
  }

  // -- picture

  render() {
    if (!this.size) return;
    this.svg.setAttribute("viewBox", `0 0 ${this.size[0]} ${this.size[1]}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.classList.toggle("drawing", Boolean(this.drawing));
    this.svg.replaceChildren(
      ...this.fixed.map((shape) => this.group(shape, false, false)),
      ...this.shapes.map((shape, index) => this.group(shape, shape.id !== undefined && shape.id === this.selected, index === this.problemAt)),
      ...(this.drawing ? this.sketch() : []),
    );
  }

  group(shape, selected, bad) {
    const list = shape.points.map((point) => point.join(",")).join(" ");
    const body = shape.kind === "zone" ? "polygon" : "polyline";
    const color = hex(shape.color);
    const id = shape.id;
    const marks = [el(body, { class: "under", points: list })];
    if (id !== undefined) marks.push(el(body, { class: "grab", points: list, "data-id": id }));
    const style = `body${selected ? " selected" : ""}${bad ? " bad" : ""}`;
    marks.push(el(body, { class: style, points: list, stroke: color, fill: shape.kind === "zone" ? color : "none", "data-id": id }));
    if (shape.kind === "line" && shape.points.length > 1) marks.push(...this.way(shape, color));
    const top = shape.points.reduce((best, point) => (point[1] < best[1] ? point : best));
    const size = 14 * this.scale;
    marks.push(el("text", { x: Math.min(top[0] + 6 * this.scale, this.size[0] * 0.9), y: Math.max(top[1] - 8 * this.scale, size), "font-size": size, "stroke-width": 3 * this.scale }, shape.name));
    if (selected && !this.drawing) marks.push(...this.handles(shape));
    return el("g", {}, marks);
  }

  way(shape, color) {
    const { middle, normal } = arrow(shape);
    const s = this.scale;
    const at = (along, across) => [middle[0] + normal[0] * along * s - normal[1] * across * s, middle[1] + normal[1] * along * s + normal[0] * across * s];
    const [tip, left, right] = [at(34, 0), at(24, 6), at(24, -6)];
    const shaft = [middle, tip, left, tip, right].map((point) => point.join(",")).join(" ");
    const label = (text, along) => {
      const [x, y] = at(along, 0);
      return el("text", { x, y, "font-size": 13 * s, "stroke-width": 3 * s, "text-anchor": "middle", "dominant-baseline": "middle" }, text);
    };
    return [el("polyline", { class: "under", points: shaft }), el("polyline", { class: "cross", points: shaft, fill: "none", stroke: color }), label(shape.in, 46), label(shape.out, -22)];
  }

  handles(shape) {
    const s = this.scale;
    const marks = [];
    const ends = shape.kind === "zone" ? shape.points.length : shape.points.length - 1;
    for (let n = 0; n < ends; n += 1) {
      const [a, b] = [shape.points[n], shape.points[(n + 1) % shape.points.length]];
      const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      marks.push(el("circle", { class: "handle middle", cx: x, cy: y, r: 5 * s }));
      marks.push(el("circle", { class: "touch", cx: x, cy: y, r: 12 * s, "data-id": shape.id, "data-middle": n }));
    }
    shape.points.forEach(([x, y], n) => {
      marks.push(el("circle", { class: "handle", cx: x, cy: y, r: 7 * s }));
      const name = `corner ${n + 1} of ${shape.name}`;
      marks.push(el("circle", { class: "touch", cx: x, cy: y, r: NEAR * s, "data-id": shape.id, "data-corner": n, tabindex: "0", role: "button", "aria-label": name }));
    });
    return marks;
  }

  sketch() {
    const { kind, points } = this.drawing;
    const s = this.scale;
    const all = this.pointer ? [...points, this.pointer] : points;
    const list = all.map((point) => point.join(",")).join(" ");
    const marks = [el("polyline", { class: "under", points: list }), el("polyline", { class: "cross", points: list, fill: "none" })];
    points.forEach(([x, y], n) => marks.push(el("circle", { class: "handle", cx: x, cy: y, r: (n === 0 && kind === "zone" && points.length > 2 ? 10 : 6) * s })));
    if (this.pointer) {
      const [x, y] = this.pointer;
      marks.push(el("line", { class: "cross", x1: x - 9 * s, x2: x + 9 * s, y1: y, y2: y }), el("line", { class: "cross", x1: x, x2: x, y1: y - 9 * s, y2: y + 9 * s }));
    }
    return marks;
  }
}

