// All sources at a glance.
import { el } from "./dom.js";
import { Picture } from "./picture.js";

export const STATES = {
  idle: "waits for you", starting: "starting", running: "running", lost: "connection lost", stopping: "stopping",
  stopped: "stopped", ended: "done", failed: "failed",
};

export function stateText(source) {
  const text = STATES[source.state] || source.state;
  return source.message ? `${text}: ${source.message}` : text;
}

export function totalsText(source) {
  return source.totals.map(({ kind, name, totals, directions }) =>
    kind === "line"
      ? `${name}: ${directions.map((way) => `${totals[way]} ${way}`).join(", ")}`
      : `${name}: ${totals.now} now, ${totals.enter} entered`,
  );
}

export class Wall {
  constructor(site) {
    this.site = site;
    this.cards = new Map();
    const list = el("ul", { class: "wall" });
    for (const source of site.sources) {
      const picture = new Picture(source.name);
      const state = el("span", { class: "state" });
      const counts = el("div");
      if (source.kind === "file") picture.still(`api/sources/${source.id}/frame.jpg?at=${source.video_from_s}`);
      this.cards.set(source.id, { picture, state, counts });
      list.append(el("li", { class: "card" }, el("a", { href: `#/source/${source.id}` }, picture.node, el("div", { class: "text" }, el("h2", {}, source.name), state, counts))));
    }
    this.node = el("section", {}, el("h1", {}, "Sources"), list);
  }

  shown() {
    this.state();
    this.resize = () => this.site.live.watch([...this.cards].map(([source, { picture }]) => ({ source, width: picture.width })));
    window.addEventListener("resize", this.resize);
    this.resize();
  }

  state() {
    for (const source of this.site.sources) {
      const card = this.cards.get(source.id);
      card.state.className = `state ${source.state}`;
      card.state.textContent = stateText(source);
      card.counts.replaceChildren(...totalsText(source).map((text) => el("div", {}, text)));
    }
  }

  picture(about, bitmap) {
    this.cards.get(about.source)?.picture.draw(about, bitmap);
  }

  events() {}

  lost() {}

  leave() {
    window.removeEventListener("resize", this.resize);
    for (const { picture } of this.cards.values()) picture.leave();
  }
}
