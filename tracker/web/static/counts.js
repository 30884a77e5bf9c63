// What was counted: totals, and for a camera how many over the hour, the day and the week.
import { ask } from "./api.js";
import { button, drawn, el, swatch } from "./dom.js";

const RANGES = { hour: [3600, 60], day: [86400, 900], week: [7 * 86400, 3600] }; // how long, in what steps, in seconds
const AGAIN_MS = 15000;
const SOON_MS = 1000; // events come in flocks

export function numbers({ kind, totals, directions }) {
  const each = kind === "line" ? directions.map((way) => [totals[way], way]) : [[totals.now, "now"], [totals.enter, "entered"], [totals.visitors, totals.visitors === 1 ? "visitor" : "visitors"], [totals.most, "at most"]];
  return each.map(([number, what]) => el("span", { class: "number" }, el("b", {}, String(number)), ` ${what}`));
}

export class Counts {
  constructor(source) {
    this.id = source.id;
    this.live = source.kind === "live";
    this.range = "hour";
    this.totals = el("div", { class: "all", tabindex: "0", role: "group", "aria-label": "Totals" });
    this.chart = el("div", { class: "chartbox" });
    this.bar = el("div", { class: "bar", role: "group", "aria-label": "Time of the chart" }, Object.keys(RANGES).map((name) =>
      button(name, () => this.choose(name), { "aria-pressed": String(name === this.range) })));
    this.node = el("div", {}, el("h2", {}, "Counts"), this.totals, this.live ? [this.bar, this.chart] : null);
    this.timer = this.live && setInterval(() => this.read(), AGAIN_MS);
  }

  show(source, owner) {
    const key = JSON.stringify([source.totals, source.state]);
    if (key === this.shown) return;
    this.shown = key;
    const rows = source.totals.map((each) =>
      el("tr", {}, el("th", { scope: "row" }, swatch(each.color), each.name), el("td", {}, numbers(each))));
    const empty = owner ? "Nothing is counted yet. Draw a line where people or vehicles go by, or a zone around a place." : "Nothing is counted yet.";
    this.totals.replaceChildren(rows.length ? el("table", {}, el("tbody", {}, rows)) : el("p", { class: "pale" }, empty));
  }

  choose(range) {
    this.range = range;
    for (const each of this.bar.children) each.setAttribute("aria-pressed", String(each.textContent === range));
    this.read();
  }

  // Something was counted.
  more() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.read(), SOON_MS);
  }

  async read() {
    if (!this.live || !this.chart.clientWidth) return;
    const [{ range }, [span, step]] = [this, RANGES[this.range]];
    const to = Math.ceil(Date.now() / 1000 / step) * step;
    const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone);
    const found = await ask(`sources/${this.id}/chart?from=${to - span}&to=${to}&step=${step}&width=${this.chart.clientWidth}&zone=${zone}`).catch(() => null);
    if (found && range === this.range) this.chart.replaceChildren(...drawn(found));
  }

  leave() {
    clearInterval(this.timer);
    clearTimeout(this.soon);
  }
}
