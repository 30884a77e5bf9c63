// Making elements; text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";
const IN_SVG = new Set(["svg", "g", "polygon", "polyline", "circle", "line", "rect", "text", "path", "title"]);

export function el(tag, attributes = {}, ...children) {
  const node = IN_SVG.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function clock(seconds) {
  const s = Math.max(0, seconds);
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, Math.floor(s) % 60];
  return (parts[0] ? parts : parts.slice(1)).map((part, n) => (n ? String(part).padStart(2, "0") : part)).join(":");
}

export function ago(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

// A chart that the server has drawn: parsed without running anything, its names are text already.
export function drawn({ svg, key = [] }) {
  const chart = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  const list = el("ul", { class: "key" }, key.map(([color, name]) =>
    el("li", {}, el("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, el("rect", { class: color, width: 10, height: 10 })), name)));
  return key.length ? [document.importNode(chart, true), list] : [document.importNode(chart, true)];
}

export const button = (text, onclick, options = {}) => el("button", { type: "button", onclick, ...options }, text);

export const COLORS = {
  red: "#e6194b", green: "#3cb44b", blue: "#4363d8", yellow: "#ffe119", orange: "#f58231", purple: "#911eb4", cyan: "#42d4f4",
  magenta: "#f032e6", lime: "#bfef45", pink: "#fabed4", teal: "#469990", white: "#ffffff", black: "#000000",
};
export const hex = (color) => COLORS[color.toLowerCase()] || color;

export function swatch(color) {
  const node = el("span", { class: "swatch", "aria-hidden": "true" });
  node.style.background = hex(color);
  return node;
}
