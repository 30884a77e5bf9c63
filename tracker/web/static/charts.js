// Charts as SVG: counts over time, and the events of a film.
import { clock, el } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [340, 150, 26, 20, 8];
const COLORS = 6;

// rows: {start, name, direction, count}; the bars of one step stand on each other.
export function bars(rows, from, to, step, label) {
  const keys = [...new Set(rows.map((row) => `${row.name} ${row.direction}`))].sort();
  const sums = new Map();
  for (const row of rows) sums.set(row.start, (sums.get(row.start) || 0) + row.count);
  const most = Math.max(1, ...sums.values());
  const x = (time) => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT);
  const y = (count) => HEIGHT - BOTTOM - (count / most) * (HEIGHT - BOTTOM - TOP);
  const heights = new Map();
  const marks = [];
  for (const tick of [0, most / 2, most]) {
    if (tick !== Math.round(tick)) continue;
    marks.push(el("line", { x1: LEFT, x2: WIDTH, y1: y(tick), y2: y(tick) }), el("text", { x: LEFT - 4, y: y(tick) + 4, "text-anchor": "end" }, String(tick)));
  }
  for (const row of [...rows].sort((a, b) => `${a.name} ${a.direction}`.localeCompare(`${b.name} ${b.direction}`))) {
    const below = heights.get(row.start) || 0;
    heights.set(row.start, below + row.count);
    const left = Math.max(x(row.start), LEFT);
    const width = Math.max(x(row.start + step) - left - 0.5, 0.8);
    const color = `c${keys.indexOf(`${row.name} ${row.direction}`) % COLORS}`;
    const title = `${label(row.start)}: ${row.name} ${row.direction} ${row.class || ""} ${row.count}`;
    marks.push(el("rect", { class: color, x: left, width, y: y(below + row.count), height: y(below) - y(below + row.count) }, el("title", {}, title)));
  }
  for (let n = 0; n <= 4; n += 1) {
    const time = from + ((to - from) * n) / 4;
    marks.push(el("text", { x: x(time), y: HEIGHT - 5, "text-anchor": n === 4 ? "end" : n ? "middle" : "start" }, label(time)));
  }
  const total = [...sums.values()].reduce((a, b) => a + b, 0);
  const chart = el("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${total} counted, at most ${Math.max(0, ...sums.values())} in one step` }, marks);
  const key = el("ul", { class: "key" }, keys.map((name, n) => el("li", {}, el("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, el("rect", { class: `c${n % COLORS}`, width: 10, height: 10 })), name)));
  return [chart, key];
}

// The events of a film as marks that can be clicked, one row for each line or zone.
export function timeline(events, length, onpick) {
  const names = [...new Set(events.map((event) => event.name).filter(Boolean))].sort();
  const row = 22;
  const height = Math.max(names.length, 1) * row + BOTTOM;
  const x = (time) => LEFT + 50 + (time / Math.max(length, 1)) * (WIDTH - LEFT - 54);
  const marks = names.map((name, n) => el("text", { x: 0, y: n * row + 15 }, name.slice(0, 14)));
  for (const event of events) {
    const n = names.indexOf(event.name);
    if (n < 0) continue;
    const text = `${clock(event.time_s)} ${event.kind} ${event.name} ${event.direction || ""} ${event.class || ""}${event.why ? `, doubtful: ${event.why}` : ""}`;
    const pick = () => onpick(event);
    marks.push(
      el("rect", {
        class: `mark ${event.why ? "c1" : "c0"}`, x: x(event.time_s) - 2, y: n * row + 3, width: 5, height: row - 6, rx: 1,
        tabindex: "0", role: "button", "aria-label": text, onclick: pick, onkeydown: (press) => press.key === "Enter" && pick(),
      }, el("title", {}, text)),
    );
  }
  for (let n = 0; n <= 4; n += 1) marks.push(el("text", { x: x((length * n) / 4), y: height - 5, "text-anchor": n === 4 ? "end" : "middle" }, clock((length * n) / 4)));
  return el("svg", { class: "chart timeline", viewBox: `0 0 ${WIDTH} ${height}`, "aria-label": "Events over time" }, marks);
}
