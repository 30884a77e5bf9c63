// The events of a film over its time; a click, or Enter, plays from before one.
import { ask } from "./api.js";
import { drawn, el } from "./dom.js";

const KEYS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };

export class Timeline {
  constructor(source, onplay) {
    this.id = source.id;
    this.node = el("div", { class: "timeline" });
    this.node.addEventListener("click", (event) => event.target.dataset.at && onplay(Number(event.target.dataset.at)));
    this.node.addEventListener("keydown", (event) => {
      const mark = event.target.closest("[data-at]");
      if (!mark) return;
      if (event.key === "Enter" || event.key === " ") onplay(Number(mark.dataset.at));
      else if (event.key in KEYS) this.go(mark, KEYS[event.key]);
      else return;
      event.preventDefault();
    });
  }

  get marks() {
    return [...this.node.querySelectorAll("[data-at]")];
  }

  // From one mark to the next, in the order of time.
  go(mark, by) {
    const marks = this.marks.sort((a, b) => a.dataset.at - b.dataset.at);
    const next = marks[Math.min(Math.max(marks.indexOf(mark) + by, 0), marks.length - 1)];
    mark.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }

  async read(from, to) {
    const width = this.node.clientWidth;
    if (!width) return;
    [this.from, this.to, this.width] = [from, to, width];
    const found = await ask(`sources/${this.id}/timeline?from=${from}&to=${to}&width=${width}`).catch(() => null);
    if (!found) return;
    this.node.replaceChildren(...drawn(found));
    this.marks[0]?.setAttribute("tabindex", "0");
    if (!this.marks.length) this.node.replaceChildren(el("p", { class: "pale" }, "Nothing happened at the lines and zones of this film."));
  }

  resized() {
    if (this.from !== undefined && Math.abs(this.node.clientWidth - this.width) > 20) this.read(this.from, this.to);
  }

  clear() {
    this.from = undefined;
    this.node.replaceChildren();
  }
}
