// All sources at a glance.
import { numbers } from "./counts.js";
import { el, swatch } from "./dom.js";
import { Picture } from "./picture.js";

const [LEAST, GAP, TEXT] = [272, 16, 140]; // pixels: the narrowest card, what is between two, what stands below a picture
const MOST_TOTALS = 3; // on a card

const STATES = {
  idle: "not started", starting: "starting", running: "running", lost: "connection lost", stopping: "stopping",
  stopped: "stopped", ended: "done", failed: "failed",
};

export function stateText(source) {
  const text = STATES[source.state] || source.state;
  return source.message ? `${text}: ${source.message}` : text;
}

// How many columns, and how wide, so that all fit on the screen and pictures are as large as that lets them be.
function layout(count, width, height) {
  const most = Math.max(Math.min(Math.floor((width + GAP) / (LEAST + GAP)), count), 1);
  const wide = (n) => Math.min((width + GAP) / n - GAP, Math.max((height / Math.ceil(count / n) - TEXT - GAP) * (16 / 9), LEAST));
  let best = 1;
  for (let n = 2; n <= most; n += 1) if (wide(n) > wide(best)) best = n;
  return wide(best) > LEAST ? [best, wide(best)] : [most, (width + GAP) / most - GAP]; // else it is scrolled
}

export class Wall {
  constructor(site) {
    this.site = site;
    this.cards = new Map();
    this.list = el("ul", { class: "wall" });
    for (const source of site.sources) {
      const picture = new Picture(source.name);
      const state = el("span", { class: "state" });
      const counts = el("dl", { class: "totals" });
      if (source.kind === "file") picture.still(`api/sources/${source.id}/frame.jpg?at=${source.video_from_s}`);
      this.cards.set(source.id, { picture, state, counts });
      this.list.append(el("li", { class: "card" }, el("a", { href: `#/source/${source.id}` }, picture.node, el("div", { class: "text" }, el("h2", { title: source.name }, source.name), state, counts))));
    }
    this.node = el("section", {}, el("h1", {}, "Sources"), this.list);
  }

  shown() {
    this.state();
    this.resize = () => {
      const height = window.innerHeight - this.list.getBoundingClientRect().top - window.scrollY;
      const [n, wide] = layout(this.cards.size, this.list.clientWidth, height);
      this.list.style.gridTemplateColumns = `repeat(${n}, minmax(0, ${Math.floor(wide)}px))`;
      this.site.live.watch([...this.cards].map(([source, { picture }]) => ({ source, width: picture.width })));
    };
    window.addEventListener("resize", this.resize);
    this.resize();
  }

  state() {
    for (const source of this.site.sources) {
      const card = this.cards.get(source.id);
      card.state.className = `state ${source.state}`;
      card.state.textContent = stateText(source);
      const more = source.totals.length - MOST_TOTALS;
      card.counts.replaceChildren(
        ...source.totals.slice(0, MOST_TOTALS).map((each) => el("div", {}, el("dt", {}, swatch(each.color), each.name), el("dd", {}, numbers(each).slice(0, 2)))),
        ...(more > 0 ? [el("div", { class: "pale" }, `and ${more} more`)] : []),
      );
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
