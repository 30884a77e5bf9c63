// One source: its picture, its counts, its events, and drawing.
import { ask, save } from "./api.js";
import { Counts } from "./counts.js";
import { button, clock, el } from "./dom.js";
import { Editor } from "./editor.js";
import { Events } from "./events.js";
import { Film } from "./film.js";
import { Form } from "./form.js";
import { Timeline } from "./timeline.js";
import { Tools } from "./tools.js";
import { stateText } from "./wall.js";

const FILES = { video: "Video", tracks: "Tracks (CSV)", events: "Events (JSON lines)", counts: "Counts (CSV)" };
const REST_MS = 700; // after a change of lines and zones, before saved tracks are counted anew

export class Camera {
  constructor(site, source) {
    this.site = site;
    this.id = source.id;
    this.file = source.kind === "file";
    this.editing = false;
    this.frozen = false;
    this.shownState = "";
    const play = (at) => this.film.play(at);
    this.film = new Film(source, {
      ontell: (text) => this.tell(text), onseek: () => this.tell(""),
      onlength: (from, to) => this.showTimeline([from, to]),
    });
    this.editor = new Editor(source.id, () => this.drawn());
    this.tools = new Tools(this.editor, { onclose: () => this.edit(false), onfreeze: () => this.freeze() });
    this.form = new Form(this.editor.shapes);
    this.counts = new Counts(source);
    this.events_ = new Events(source, play);
    this.timeline = new Timeline(source, play);
    this.stateNode = el("p", { class: "state", role: "status" });
    this.problem = el("p", { class: "problem", role: "alert" });
    this.zoneFile = el("p", { class: "problem", role: "alert" }); // what is wrong with it
    this.start = el("div", { class: "bar" });
    this.orders = el("div", { class: "bar" });
    this.progress = el("div");
    this.downloads = el("div", { class: "bar" });
    this.node = el("section", { class: "camera" },
      el("div", {},
        el("div", { class: "title" }, el("h1", {}, source.name), this.stateNode), this.zoneFile, this.tools.hint, this.film.node, this.film.seeker, this.timeline.node,
        this.progress, this.start, this.tools.bar, this.tools.problem, this.problem, this.tools.list, this.form.node),
      el("div", {}, this.orders, this.counts.node, this.events_.node, el("h2", {}, "Downloads"), this.downloads));
  }

  get source() {
    return this.site.sources.find((each) => each.id === this.id);
  }

  get mayEdit() {
    return this.site.role === "owner" && this.source.may.edit;
  }

  // Whether it is at work on pictures; a film that is only counted anew from saved tracks is not.
  get running() {
    return ["starting", "running", "lost", "stopping"].includes(this.source.state) && !this.source.recounting;
  }

  get filmed() {
    return this.source.results.some(({ id }) => id === "video");
  }

  shown() {
    this.resize = new ResizeObserver(() => {
      this.watch();
      this.timeline.resized();
    });
    this.resize.observe(this.film.node);
    this.editing = this.file && this.mayEdit && !this.running && !this.filmed;
    this.state();
    this.counts.read();
    this.watch();
  }

  leave() {
    this.resize.disconnect();
    clearTimeout(this.recount);
    for (const part of [this.film, this.counts]) part.leave();
  }

  watch() {
    this.site.live.watch(this.frozen ? [] : [{ source: this.id, width: this.film.picture.width, bare: this.editing }]);
  }

  // -- what comes

  picture(about, bitmap) {
    if (about.source === this.id && !this.frozen && this.film.mode === "live") this.film.picture.draw(about, bitmap);
  }

  events(source, rows) {
    if (source !== this.id) return;
    this.events_.add(rows);
    this.counts.more();
  }

  lost() {}

  state() {
    const { source } = this;
    const rate = source.fps < 10 ? source.fps : Math.round(source.fps);
    const text = source.recounting ? "counting anew" : source.state === "running" && !this.file && !source.message ? `running, ${rate} pictures a second` : stateText(source);
    if (this.stateNode.textContent !== text) this.stateNode.textContent = text;
    this.stateNode.className = `state ${source.state}`;
    if (source.problem !== this.fileProblem) {
      this.fileProblem = source.problem;
      this.zoneFile.textContent = source.problem;
    }
    this.counts.show(source, this.mayEdit);
    this.showProgress();
    const key = JSON.stringify([source.state, source.recounting, source.may, source.results, source.stale, source.uncounted, source.changed, this.site.role, source.runs, Boolean(source.size)]);
    if (key !== this.shownState) {
      this.shownState = key;
      if (this.file && this.running) this.editing = false;
      this.place();
      this.showOrders();
      this.showDownloads();
      if (source.runs !== this.runs) this.ended(source);
    }
    if (source.size && this.editing && !this.editor.busy) {
      if (!this.editor.size) this.editor.shapes.load().catch((error) => this.tell(error.message));
      else this.editor.shapes.seen(source.version);
    }
    if (this.editing && source.uncounted && source.may.recount && source.version !== this.counting) this.countSoon();
  }

  // A run has ended, or the page has just come.
  ended(source) {
    this.runs = source.runs;
    this.events_.playable = this.film.mode === "video";
    this.events_.read();
    this.showTimeline();
  }

  showTimeline(span = this.span) {
    this.span = span; // of the video, once it is known
    if (!this.filmed || this.running) this.timeline.clear();
    else this.timeline.read(...(span ?? [this.source.video_from_s, this.source.length_s ?? this.source.video_from_s + 1]));
  }

  // -- orders

  tell(text) {
    if (this.problem.textContent !== text) this.problem.textContent = text;
  }

  async order(what) {
    this.tell("");
    await ask(`sources/${this.id}/${what}`, "POST", {}).catch((error) => this.tell(error.message));
  }

  // A line that was moved is counted at again, once nobody moves it any more.
  countSoon() {
    clearTimeout(this.recount);
    this.counting = this.source.version;
    this.recount = setTimeout(() => {
      if (this.editor.busy) this.countSoon();
      else if (this.source.uncounted && this.source.may.recount) this.order("recount");
    }, REST_MS);
  }

  showOrders() {
    const { source } = this;
    const owner = this.site.role === "owner";
    const order = (what, text, look = null) => button(text, () => this.order(what), { class: look });
    const zero = () => confirm("Count from zero? What was counted until now stays in the events.") && this.order("zero");
    const begin = owner && source.may.start ? [order("start", this.file ? "Save and run" : "Start", "main")] : [];
    const recount = owner && source.may.recount && source.uncounted && !this.editing ? [order("recount", "Count anew from the saved tracks")] : [];
    const stop = owner && source.may.stop ? [order("stop", "Stop")] : [];
    this.orders.replaceChildren(...begin, ...recount, ...stop, ...(owner && source.may.zero && !this.file ? [button("Count from zero", zero)] : []));
    const notes = [];
    if (source.changed) notes.push("The file was changed since it was counted: run it again.");
    else if (this.film.mode === "video" && source.stale) notes.push("The video was made before lines and zones were changed; totals and events are those of now.");
    this.start.replaceChildren(
      ...(this.mayEdit && !this.editing && !(this.file && this.running) ? [button("Edit lines and zones", () => this.edit(true), { disabled: !source.size })] : []),
      ...(owner && source.fixed_because ? [el("span", { class: "pale" }, source.fixed_because)] : []),
      ...notes.map((text) => el("span", { class: "note" }, text)),
    );
  }

  showProgress() {
    const { progress } = this.source;
    if (!this.file || !(this.running || this.source.recounting)) return this.progress.replaceChildren();
    const left = progress.left_s === null ? "" : `, ${clock(progress.left_s)} left`;
    const text = progress.of ? `${progress.done} of ${progress.of} frames${left}` : `${progress.done} frames`;
    if (!this.progress.firstChild) this.progress.append(el("progress", { "aria-label": "Progress" }), el("span", { class: "pale" }));
    const [bar, words] = this.progress.children;
    if (progress.of) Object.assign(bar, { max: progress.of, value: progress.done });
    else bar.removeAttribute("value");
    words.textContent = text;
  }

  showDownloads() {
    const { source } = this;
    const since = this.file ? "&step=60" : `&from=${Math.floor(Date.now() / 1000) - 7 * 86400}`;
    const files = new Map(source.results.map(({ id, name }) => [id, name]));
    const made = [...(files.has("counts") ? [] : [["Counts (CSV)", `counts?format=csv${since}`]]), ["Events (CSV)", "events?format=csv&most=1000"]];
    if (source.reports) made.push(["Report", "report.html"], ["Spreadsheet", "report.xlsx"]);
    const get = (path) => {
      this.tell("");
      save(`sources/${this.id}/${path}`).catch((error) => this.tell(error.message));
    };
    this.downloads.replaceChildren(
      ...[...files].map(([id, name]) => el("a", { class: "button", href: `api/results/${this.id}-${id}?download`, download: name, title: name }, FILES[id] ?? name)),
      ...made.map(([name, path]) => button(name, () => get(path))),
    );
  }

  // -- drawing

  async edit(on) {
    this.editing = on;
    this.tell("");
    if (!on) {
      this.frozen = this.film.picture.frozen = false;
      this.editor.cancel();
      this.editor.select(null);
    }
    this.place();
    this.showOrders();
    this.watch();
    if (on && this.source.size) await this.editor.shapes.load().catch((error) => this.tell(error.message));
    (on ? this.tools.bar : this.start).querySelector("button:not(:disabled)")?.focus({ preventScroll: true });
  }

  freeze() {
    this.frozen = this.film.picture.frozen = !this.frozen;
    this.watch();
    this.drawn();
  }

  // What is seen, and the drawing over it.
  place() {
    const mode = !this.file || this.running ? "live" : this.editing || !this.filmed ? "still" : "video";
    this.film.show(mode, this.source.runs);
    this.film.picture.done = this.file && !this.running;
    if (this.events_.playable !== (mode === "video")) {
      this.events_.playable = mode === "video";
      this.events_.read();
    }
    if (!this.editing) this.editor.svg.remove();
    else if (this.editor.svg.parentNode !== this.film.under) this.film.under.append(this.editor.svg);
    this.editor.render();
    this.drawn();
  }

  drawn() {
    if (!this.node) return;
    this.node.classList.toggle("editing", this.editing);
    if (!this.editing) {
      this.tools.hide();
      this.form.show(null);
      return;
    }
    this.tools.show({ frozen: this.film.mode === "live" ? this.frozen : null, closes: !this.file || this.filmed });
    this.form.show(this.editor.shapes.get(this.editor.selected), this.source.classes);
  }
}
