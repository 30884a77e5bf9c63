// What happened, the newest first; doubtful ones with the reason and their picture.
import { ask } from "./api.js";
import { ago, button, clock, el } from "./dom.js";

const PAGE = 200; // events that are read at once
const MOST = 1000; // that are shown

export class Events {
  constructor(source, onplay) {
    this.id = source.id;
    this.live = source.kind === "live";
    this.onplay = onplay;
    this.doubtful = el("input", { type: "checkbox", id: "doubtful", onchange: () => this.read() });
    this.list = el("ul", { class: "events", tabindex: "0", "aria-label": "Events, the newest first" });
    this.more = button("Earlier events", () => this.readMore(), { hidden: true });
    this.node = el("div", {}, el("h2", {}, "Events"), el("label", { class: "check" }, this.doubtful, " only doubtful ones"), this.list, this.more);
    this.rows = [];
    this.playable = false;
  }

  async ask(before = "") {
    return (await ask(`sources/${this.id}/events?most=${PAGE}${this.doubtful.checked ? "&doubtful=1" : ""}${before}`)).rows;
  }

  async read() {
    const rows = await this.ask().catch(() => null);
    if (!rows) return;
    this.rows = rows;
    this.list.replaceChildren(...rows.map((row) => this.item(row)));
    this.ends(rows.length);
  }

  async readMore() {
    const rows = await this.ask(`&before=${this.rows[this.rows.length - 1].id}`).catch(() => []);
    this.rows.push(...rows);
    this.list.append(...rows.map((row) => this.item(row)));
    this.ends(rows.length);
  }

  add(rows) {
    const known = new Set(this.rows.map((row) => row.id));
    const fresh = rows.filter((row) => !known.has(row.id) && (row.why || !this.doubtful.checked));
    if (!fresh.length) return;
    if (!this.rows.length) this.list.replaceChildren();
    this.rows.unshift(...fresh);
    this.list.prepend(...fresh.map((row) => this.item(row)));
    while (this.rows.length > MOST) {
      this.rows.pop();
      this.list.lastChild.remove();
    }
  }

  ends(came) {
    this.more.hidden = came < PAGE;
    if (!this.rows.length) this.list.replaceChildren(el("li", { class: "pale" }, "Nothing yet."));
  }

  item(row) {
    const what = words(row);
    const doubt = row.why ? el("span", { class: "doubt" }, `doubtful: ${row.why}`) : null;
    const play = this.playable && row.kind !== "shape.changed" ? button("Play", () => this.onplay(row.time_s), { "aria-label": `Play from before ${clock(row.time_s)}, ${what}` }) : null;
    return el("li", { class: row.name ? null : "pale" }, el("time", {}, this.when(row)), el("span", {}, what), play, doubt, this.picture(row, what));
  }

  // The picture that was kept of a doubtful event; of a file any other can be looked up.
  picture(row, what) {
    if (!row.why || !(row.picture || !this.live)) return null;
    const kept = `api/sources/${this.id}/events/${row.id}/picture.jpg`;
    const image = el("img", { loading: "lazy", alt: `Picture of ${what}`, src: row.picture ? kept : null });
    const large = button(row.picture ? image : "Picture", () => {
      if (!image.isConnected) {
        image.src = `api/sources/${this.id}/frame.jpg?at=${row.time_s}`;
        large.replaceChildren(image);
      }
      large.setAttribute("aria-expanded", String(large.classList.toggle("large")));
    }, { class: "thumb", "aria-expanded": "false" });
    return large;
  }

  when(row) {
    if (!this.live) return clock(row.time_s);
    const at = new Date(row.wall * 1000);
    const day = at.toDateString() === new Date().toDateString() ? "" : `${at.toLocaleDateString([], { month: "short", day: "numeric" })} `;
    return day + at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  }
}

const VERBS = { enter: "entered", exit: "left", loiter: "loitering" };

function words(row) {
  const [of, ...rest] = row.kind.split(".");
  const what = rest.join(" ").replace(/_/g, " ");
  if (row.kind === "shape.changed") {
    if (row.old === null || row.new === null) return `${row.name} was ${row.old === null ? "drawn" : "removed"}`;
    return row.old?.name === row.new?.name ? `${row.name} was changed` : `${row.old.name} is now called ${row.new.name}`;
  }
  if (row.kind === "counts.zero") return "counted from zero";
  if (row.kind === "source.lost") return `no pictures${row.reason ? `: ${row.reason}` : ""}`;
  if (row.kind === "source.back") return `pictures again, after ${ago(row.gap_s ?? 0)}`;
  if (of === "source") return what;
  const who = row.track_id === undefined || row.track_id === null ? "" : `: ${row.class || "object"} #${row.track_id}`;
  return `${row.name ?? ""} ${row.direction || VERBS[what] || what}${who}`.trim();
}
