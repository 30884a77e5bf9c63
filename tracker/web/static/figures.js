// Lines and zones as SVG over the picture. `scale` is how many pixels of the picture one of the screen is.
import { el, hex } from "./dom.js";
import { arrow } from "./geometry.js";

export const NEAR = 14; // pixels of the screen around a corner
const MOST_LETTERS = 24; // of a name on the picture

const listed = (points) => points.map((point) => point.join(",")).join(" ");
const cut = (text) => (text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text);

export function figure(shape, { selected, bad, handles, scale, size }) {
  const list = listed(shape.points);
  const body = shape.kind === "zone" ? "polygon" : "polyline";
  const color = hex(shape.color);
  const id = shape.id;
  const marks = [el(body, { class: "under", points: list })];
  if (id !== undefined) marks.push(el(body, { class: "grab", points: list, "data-id": id }));
  const style = `body${selected ? " selected" : ""}${bad ? " bad" : ""}`;
  marks.push(el(body, { class: style, points: list, stroke: color, fill: shape.kind === "zone" ? color : "none", "data-id": id }));
  if (shape.kind === "line" && shape.points.length > 1) marks.push(...way(shape, color, scale));
  const top = shape.points.reduce((best, point) => (point[1] < best[1] ? point : best));
  const letters = 14 * scale;
  const name = cut(shape.name);
  const x = Math.max(Math.min(top[0] + 6 * scale, size[0] - name.length * 8.5 * scale), 4 * scale);
  marks.push(el("text", { x, y: Math.max(top[1] - 8 * scale, letters), "font-size": letters, "stroke-width": 3 * scale }, name));
  if (handles) marks.push(...grips(shape, scale));
  return el("g", {}, marks);
}

// The arrow of a line, with the names of both ways.
function way(shape, color, scale) {
  const { middle, normal } = arrow(shape);
  const at = (along, across) => [middle[0] + (normal[0] * along - normal[1] * across) * scale, middle[1] + (normal[1] * along + normal[0] * across) * scale];
  const [tip, left, right] = [at(34, 0), at(24, 6), at(24, -6)];
  const shaft = listed([middle, tip, left, tip, right]);
  const label = (text, along) => {
    // beside an arrow that lies, the words begin where it ends; above or below one that stands, they are centred
    const side = Math.sign(Math.round(normal[0] * 2) * along);
    const [x, y] = at(along, 0);
    const anchor = side > 0 ? "start" : side < 0 ? "end" : "middle";
    return el("text", { x, y, "font-size": 13 * scale, "stroke-width": 3 * scale, "text-anchor": anchor, "dominant-baseline": "middle" }, cut(text));
  };
  return [el("polyline", { class: "under", points: shaft }), el("polyline", { class: "arrow", points: shaft, fill: "none", stroke: color }), label(shape.in, 46), label(shape.out, -20)];
}

// What is dragged: corners, and the middles of edges, which become corners.
function grips(shape, scale) {
  const marks = [];
  const ends = shape.kind === "zone" ? shape.points.length : shape.points.length - 1;
  for (let n = 0; n < ends; n += 1) {
    const [a, b] = [shape.points[n], shape.points[(n + 1) % shape.points.length]];
    const [x, y] = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    if (Math.hypot(b[0] - a[0], b[1] - a[1]) < 4 * NEAR * scale) continue; // no room between the corners
    marks.push(el("circle", { class: "handle middle", cx: x, cy: y, r: 5 * scale }));
    marks.push(el("circle", { class: "touch", cx: x, cy: y, r: 12 * scale, "data-id": shape.id, "data-middle": n }));
  }
  shape.points.forEach(([x, y], n) => {
    marks.push(el("circle", { class: "handle", cx: x, cy: y, r: 7 * scale }));
    const name = `corner ${n + 1} of ${shape.name}`;
    marks.push(el("circle", { class: "touch", cx: x, cy: y, r: NEAR * scale, "data-id": shape.id, "data-corner": n, tabindex: "0", role: "button", "aria-label": name }));
  });
  return marks;
}

// What is being drawn, and the cross where the next point would be.
export function sketch({ kind, points }, pointer, scale) {
  const list = listed([...points, ...(pointer ? [pointer] : [])]);
  const marks = [el("polyline", { class: "under", points: list }), el("polyline", { class: "cross", points: list, fill: "none" })];
  points.forEach(([x, y], n) => marks.push(el("circle", { class: "handle", cx: x, cy: y, r: (n === 0 && kind === "zone" && points.length > 2 ? 10 : 6) * scale })));
  if (pointer) {
    const [[x, y], r] = [pointer, 11 * scale];
    for (const [dx, dy] of [[r, 0], [0, r]]) {
      const ends = { x1: x - dx, x2: x + dx, y1: y - dy, y2: y + dy };
      marks.push(el("line", { class: "under", ...ends }), el("line", { class: "cross", ...ends }));
    }
  }
  return marks;
}
