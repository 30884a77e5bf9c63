// One source: its picture, its counts, its events, and drawing.
import { ask } from "./api.js";
import { bars, timeline } from "./charts.js";
import { clock, el, hex, swatch } from "./dom.js";
import { Editor } from "./editor.js";
import { Picture } from "./picture.js";
import { stateText } from "./wall.js";

const RANGES = { hour: [3600, 60], day: [86400, 900], week: [7 * 86400, 900] };
const MOST_EVENTS = 200;
const BEFORE_S = 2; // a click on an event plays from so long before it
const ANCHORS = ["bottom_center", "center", "top_center", "bottom_left", "bottom_right", "top_left", "top_right", "center_left", "center_right", "shape"];

export class Camera {
  constructor(site, source) {
    this.site = site;
    this.id = source.id;
    this.rows = [];
    this.editing = false;
    this.frozen = false;
    this.shownState = "";
    this.picturePart = new Picture(source.name);
    this.editor = new Editor(source.id, () => this.drawn());
    this.build(source);
  }

  get source() {
    return this.site.sources.find((each) => each.id === this.id);
  }

  get owner() {
    return this.site.role === "owner";
  }

  build(source) {
    const file = source.kind === "file";
    this.stateNode = el("p", { class: "state", role: "status" });
    this.problem = el("p", { class: "problem", role: "alert" });
    this.hint = el("p", { class: "hint" });
    this.tools = el("div", { class: "bar" });
    this.form = el("div");
    this.shapeList = el("ul", { class: "shapes" });
    this.orders = el("div", { class: "bar" });
    this.totals = el("div");
    this.chart = el("div");
    this.eventList = el("ul", { class: "events", tabindex: "0", "aria-label": "Events" });
    this.downloads = el("div", { class: "bar" });
    this.media = el("div", { class: "view" });
    this.stage = el("div", {}, this.picturePart.node);
    this.range = "hour";
    this.rangeBar = el("div", { class: "bar", role: "group", "aria-label": "Time of the chart" }, Object.keys(RANGES).map((name) =>
      el("button", { type: "button", "aria-pressed": String(name === this.range), onclick: () => this.choose(name) }, name)));
    this.slider = el("input", { type: "range", min: 0, max: source.length_s || 1, step: "any", value: source.video_from_s || 0, "aria-label": "Second of the film" });
    this.sliderText = el("span", { class: "pale" });
    this.slider.addEventListener("input", () => this.seekStill());
    this.film = el("div", {}, el("div", { class: "bar" }, this.sliderText), this.slider);
    this.progress = el("div");
    this.node = el("section", { class: "camera" },
      el("div", {}, el("h1", {}, source.name), this.stateNode, this.stage, this.tools, this.hint, this.problem, file ? this.film : null, this.progress, this.shapeList, this.form),
      el("div", {}, this.orders, el("h2", {}, "Counts"), this.totals, file ? null : this.rangeBar, this.chart,
        el("h2", {}, "Events"), this.eventList, el("h2", {}, "Downloads"), this.downloads));
  }

  shown() {
    this.resize = new ResizeObserver(() => this.watch());
    this.resize.observe(this.picturePart.node);
    this.state();
    this.readEvents();
    this.drawChart();
    this.timer = setInterval(() => this.drawChart(), 15000);
    if (this.source.kind === "file") this.edit(this.owner);
    this.watch();
  }

  leave() {
    clearInterval(this.timer);
    this.resize.disconnect();
    this.picturePart.leave();
  }

  lost() {}

  watch() {
    const wanted = this.frozen ? [] : [{ source: this.id, width: this.picturePart.width, bare: this.editing }];
    this.site.live.watch(wanted);
  }

  // -- what comes

  picture(about, bitmap) {
    const { source } = this;
    if (about.source !== this.id || this.frozen || (source.kind === "file" && source.state !== "running")) return;
    if (this.stillShown) this.showCanvas();
    this.picturePart.draw(about, bitmap);
  }

  events(source, rows) {
    if (source !== this.id) return;
    this.rows = [...rows, ...this.rows].slice(0, MOST_EVENTS);
    this.showEvents();
    if (this.source.kind === "live") this.drawChart();
  }

  state() {
    const { source } = this;
    this.stateNode.className = `state ${source.state}`;
    this.stateNode.textContent = source.state === "running" && source.kind === "live" ? `running, ${source.fps} pictures a second` : stateText(source);
    this.picturePart.done = source.kind === "file" && source.state !== "running";
    this.showTotals();
    this.showProgress();
    const key = JSON.stringify([source.state, source.may, source.results, source.stale, this.owner, source.runs]);
    if (key !== this.shownState) {
      const before = this.shownState && JSON.parse(this.shownState)[0];
      this.shownState = key;
      this.showOrders();
      this.showDownloads();
      this.showTools();
      const busy = source.state === "running" || source.state === "starting";
      if (source.kind === "file" && !busy) {
        if (before === "running") this.wantsStill = false;
        if (before === "running" && this.editing) this.edit(false);
        this.showResult(before !== source.state);
      }
      if (source.kind === "file" && busy && before !== source.state) {
        this.wantsStill = false;
        if (this.editing) this.edit(false);
        this.showCanvas();
      }
      if (source.runs !== this.runsRead) this.readEvents();
      this.runsRead = source.runs;
    }
    if (source.size && this.editing) {
      if (!this.editor.size) this.editor.load().catch((error) => this.tell(error.message));
      else this.editor.seen(source.version);
    }
  }

  // -- counts and events

  showTotals() {
    const { source } = this;
    const rows = source.totals.map(({ name, color, kind, totals, directions }) => {
      const numbers = kind === "line"
        ? directions.map((way) => `${totals[way]} ${way}`).join(", ")
        : `${totals.now} now (at most ${totals.most}), ${totals.enter} entered, ${totals.visitors} visitors`;
      return el("tr", {}, el("th", { scope: "row" }, swatch(color), name), el("td", {}, numbers));
    });
    const text = JSON.stringify(source.totals);
    if (text === this.totalsShown) return;
    this.totalsShown = text;
    this.totals.replaceChildren(rows.length ? el("table", {}, el("tbody", {}, rows)) : el("p", { class: "pale" }, "Draw a line or a zone to count."));
  }

  choose(range) {
    this.range = range;
    for (const button of this.rangeBar.children) button.setAttribute("aria-pressed", String(button.textContent === range));
    this.drawChart();
  }

  async drawChart() {
    const { source } = this;
    if (source.kind === "file") return;
    const [span, step] = RANGES[this.range];
    const to = Math.ceil(Date.now() / 1000 / step) * step;
    const from = to - span;
    const { rows } = await ask(`sources/${this.id}/counts?from=${from}&to=${to}&step=${step}`).catch(() => ({ rows: [] }));
    const counted = rows.filter((row) => row.direction !== "exit");
    const label = (time) => new Date(time * 1000).toLocaleString([], span > 86400 ? { weekday: "short", hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit" });
    this.chart.replaceChildren(...bars(counted, from, to, step, label));
  }

  async readEvents() {
    const found = await ask(`sources/${this.id}/events?most=${this.source.kind === "file" ? 1000 : MOST_EVENTS}`).catch(() => null);
    if (!found) return;
    this.rows = found.rows;
    this.showEvents();
  }

  when(row) {
    return this.source.kind === "live" ? new Date(row.wall * 1000).toLocaleTimeString() : clock(row.time_s);
  }

  showEvents() {
    this.eventList.replaceChildren(...this.rows.slice(0, MOST_EVENTS).map((row) => {
      const what = row.kind === "shape.changed" ? `${row.name} was changed` : row.kind === "counts.zero" ? "counted from zero" : row.kind.startsWith("source.") ? row.kind.replace(".", " ") : `${row.name} ${row.direction || row.kind.split(".")[1]}: ${row.class || ""} ${row.track_id ?? ""}`;
      const doubt = row.why ? el("span", { class: "doubt" }, ` doubtful (${row.why})`) : null;
      const picture = row.picture ? el("details", {}, el("summary", {}, "picture"), el("img", { loading: "lazy", alt: `Picture of ${what}`, src: `api/sources/${this.id}/events/${row.id}/picture.jpg` })) : null;
      const play = this.video ? el("button", { type: "button", onclick: () => this.play(row) }, "play") : null;
      return el("li", {}, el("time", {}, this.when(row)), what, doubt, play, picture);
    }));
    if (!this.rows.length) this.eventList.append(el("li", { class: "pale" }, "Nothing yet."));
    if (this.source.kind === "file") {
      const shown = this.rows.filter((row) => /^(line|zone)\./.test(row.kind));
      this.chart.replaceChildren(timeline(shown, this.source.length_s || Math.max(1, ...shown.map((row) => row.time_s)), (row) => this.play(row)));
    }
  }

  play(row) {
    if (!this.video) return;
    this.video.currentTime = Math.max(row.time_s - this.source.video_from_s - BEFORE_S, 0);
    this.video.play().catch(() => {});
    this.video.scrollIntoView({ block: "nearest" });
  }

  // -- orders

  async order(what, button) {
    button.disabled = true;
    this.tell("");
    try {
      await ask(`sources/${this.id}/${what}`, "POST", {});
    } catch (error) {
      this.tell(error.message);
      button.disabled = false;
    }
  }

  tell(text) {
    this.problem.textContent = text;
  }

  showOrders() {
    const { source } = this;
    const button = (what, text, main = false) =>
      el("button", { type: "button", class: main ? "main" : null, onclick: (event) => {
        if (what === "zero" && !confirm("Count from zero? What was counted until now stays in the events.")) return;
        this.order(what, event.currentTarget);
      } }, text);
    const buttons = [];
    if (this.owner) {
      if (source.may.start) buttons.push(button("start", source.kind === "file" ? "Save and run" : "Start", true));
      if (source.may.recount && source.stale) buttons.push(button("recount", "Count anew from the saved tracks"));
      if (source.may.stop) buttons.push(button("stop", "Stop"));
      if (source.may.zero) buttons.push(button("zero", "Count from zero"));
    }
    this.orders.replaceChildren(...buttons);
  }

  showProgress() {
    const { progress, state, kind } = this.source;
    if (kind !== "file" || (state !== "running" && state !== "starting")) {
      this.progress.replaceChildren();
      return;
    }
    const text = progress.of ? `${progress.done} of ${progress.of} frames${progress.left_s === null ? "" : `, ${clock(progress.left_s)} left`}` : `${progress.done} frames`;
    this.progress.replaceChildren(el("progress", { max: progress.of || 1, value: progress.of ? progress.done : null, "aria-label": "Progress" }), el("span", {}, text));
  }

  showDownloads() {
    const { source } = this;
    const links = [
      ["Counts (CSV)", `sources/${this.id}/counts?format=csv${source.kind === "live" ? `&from=${Math.floor(Date.now() / 1000) - 7 * 86400}` : "&step=60"}`],
      ["Events (CSV)", `sources/${this.id}/events?format=csv&most=1000`],
      ["Report", `sources/${this.id}/report.html`],
      ["Spreadsheet", `sources/${this.id}/report.xlsx`],
    ];
    this.downloads.replaceChildren(
      ...links.filter(([name]) => source.reports || !["Report", "Spreadsheet"].includes(name)).map(([name, path]) => el("a", { class: "button", href: `api/${path}`, download: true }, name)),
      ...source.results.map(({ id, name }) => el("a", { class: "button", href: `api/results/${this.id}-${id}?download`, download: name }, name)),
    );
  }

  // -- the picture of a file

  showCanvas() {
    this.stillShown = false;
    this.video = null;
    this.stage.replaceChildren(this.picturePart.node);
    this.placeEditor();
  }

  showResult(fresh) {
    const { source } = this;
    const video = source.results.find(({ id }) => id === "video");
    if (video && !this.wantsStill) {
      if (this.video && !fresh) return;
      this.video = el("video", { controls: true, preload: "metadata", src: `api/results/${this.id}-video`, "aria-label": "The written video" });
      this.media.replaceChildren(this.video);
      this.stage.replaceChildren(this.media, ...(source.stale ? [el("p", { class: "pale" }, "Drawn before lines and zones were changed.")] : []));
      this.editing = false;
      this.stillShown = true;
      this.showEvents();
    } else if (!this.stillShown || fresh) {
      this.showStill();
    }
    this.showTools();
  }

  showStill() {
    this.video = null;
    this.stillShown = true;
    const at = Number(this.slider.value);
    this.still = el("img", { alt: `The film at ${clock(at)}`, src: `api/sources/${this.id}/frame.jpg?at=${at}` });
    this.still.addEventListener("error", () => this.tell("There is no picture at this second."));
    this.still.addEventListener("load", () => this.tell(""));
    this.media.replaceChildren(this.still);
    this.stage.replaceChildren(this.media);
    this.sliderText.textContent = `${clock(at)} of ${clock(this.source.length_s || 0)}`;
    this.placeEditor();
  }

  seekStill() {
    clearTimeout(this.seeking);
    this.sliderText.textContent = `${clock(Number(this.slider.value))} of ${clock(this.source.length_s || 0)}`;
    this.seeking = setTimeout(() => {
      this.wantsStill = true;
      if (!this.editing) this.edit(this.owner);
      this.showStill();
    }, 200);
  }

  // -- drawing

  edit(on) {
    this.editing = on;
    if (on) this.wantsStill = true;
    if (on && this.source.kind === "file" && this.source.state !== "running" && !this.still?.isConnected) this.showStill();
    if (on && this.source.size) this.editor.load().catch((error) => this.tell(error.message));
    if (!on) {
      this.frozen = false;
      this.wantsStill = false;
      this.editor.cancel();
      if (this.source.kind === "file" && this.source.state !== "running") this.showResult(true);
    }
    this.placeEditor();
    this.showTools();
    this.watch();
  }

  placeEditor() {
    const frame = this.stillShown ? this.media : this.picturePart.node;
    if (this.editing) frame.append(this.editor.svg);
    else this.editor.svg.remove();
    this.editor.render();
  }

  drawn() {
    this.showTools();
    this.showForm();
  }

  showTools() {
    const { editor, source } = this;
    this.film.hidden = source.state === "running" || source.state === "starting";
    if (!this.owner || !source.may.edit) {
      this.tools.replaceChildren(...(this.owner ? [el("span", { class: "pale" }, "One zone file serves several sources here; it cannot be changed on this page.")] : []));
      return;
    }
    const button = (text, onclick, options = {}) => el("button", { type: "button", onclick, ...options }, text);
    if (!this.editing) {
      this.tools.replaceChildren(button("Edit lines and zones", () => this.edit(true), { disabled: !source.size }));
      this.hint.textContent = "";
      this.shapeList.replaceChildren();
      this.form.replaceChildren();
      return;
    }
    const kinds = ["line", "zone"].map((kind) =>
      button(kind === "line" ? "Line" : "Zone", () => editor.begin(kind), { "aria-pressed": String(editor.drawing?.kind === kind), disabled: !editor.size }));
    const parts = [...kinds];
    if (editor.drawing) parts.push(button("Done", () => editor.finish(), { disabled: editor.drawing.points.length < (editor.drawing.kind === "line" ? 2 : 3) }), button("Cancel", () => editor.cancel()));
    parts.push(button("Undo", () => editor.undo(), { disabled: !editor.past.length && !editor.drawing && !editor.saved }), button("Redo", () => editor.redo(), { disabled: !editor.future.length }));
    if (!this.stillShown) parts.push(button("Freeze", () => this.freeze(), { "aria-pressed": String(this.frozen) }));
    if (editor.versions.length) {
      const choose = el("select", { "aria-label": "Earlier versions", onchange: (event) => event.target.value && editor.bringBack(event.target.value) },
        el("option", { value: "" }, "Earlier versions …"), editor.versions.map((name) => el("option", { value: name }, readable(name))));
      parts.push(choose);
    }
    if (source.kind === "live" || source.results.length) parts.push(button("Close", () => this.edit(false)));
    this.tools.replaceChildren(...parts);
    this.hint.textContent = editor.hint;
    this.tell(editor.problem);
    if (editor.conflict) this.problem.append(" ", button("Reload", () => editor.load()));
    this.shapeList.replaceChildren(...editor.shapes.map((shape) =>
      el("li", {}, button(shape.name, () => editor.select(shape.id), { "aria-pressed": String(shape.id !== undefined && shape.id === editor.selected) }))));
  }

  freeze() {
    this.frozen = !this.frozen;
    this.watch();
    this.showTools();
  }

  showForm() {
    const { editor } = this;
    const shape = this.editing && editor.shapes.find((each) => each.id !== undefined && each.id === editor.selected);
    if (!shape) {
      this.form.replaceChildren();
      this.formShown = "";
      return;
    }
    const key = JSON.stringify(shape);
    if (key === this.formShown) return;
    this.formShown = key;
    const field = (label, input) => {
      const id = `field-${label.replace(/\W/g, "")}`;
      input.id = id;
      return [el("label", { for: id }, label), input];
    };
    const text = (name, value = shape[name] ?? "") => {
      const input = el("input", { value, maxlength: 200 });
      input.addEventListener("change", () => editor.change(shape.id, { [name]: input.value.trim() || shape[name] }));
      return input;
    };
    const classes = el("input", { value: shape.classes.join(", "), placeholder: "all", list: "classes" });
    classes.addEventListener("change", () => editor.change(shape.id, { classes: classes.value.split(",").map((name) => name.trim()).filter(Boolean) }));
    const color = el("input", { type: "color", value: hex(shape.color) });
    color.addEventListener("change", () => editor.change(shape.id, { color: color.value }));
    const anchor = el("select", {}, ANCHORS.includes(shape.anchor) ? null : el("option", {}, shape.anchor), ANCHORS.map((name) => el("option", { value: name, selected: name === shape.anchor }, name.replace("_", " "))));
    anchor.addEventListener("change", () => editor.change(shape.id, { anchor: anchor.value }));
    const rows = [field("Name", text("name")), field("Classes", classes), field("Point of the box", anchor), field("Colour", color)];
    if (shape.kind === "line") rows.splice(1, 0, field("This way", text("in")), field("Other way", text("out")));
    else {
      const loiter = el("input", { type: "number", min: 0, step: "any", value: shape.loiter ?? "", placeholder: "never" });
      loiter.addEventListener("change", () => editor.change(shape.id, { loiter: loiter.value ? Number(loiter.value) : null }));
      rows.push(field("Tell after (seconds)", loiter));
    }
    const buttons = el("div", { class: "bar" },
      shape.kind === "line" ? el("button", { type: "button", onclick: () => editor.turn(shape.id) }, "Turn") : null,
      el("button", { type: "button", onclick: () => editor.remove(shape.id) }, "Delete"));
    this.form.replaceChildren(el("h2", {}, shape.name), el("div", { class: "form" }, rows), el("datalist", { id: "classes" }, (this.source.classes || []).map((name) => el("option", { value: name }))), buttons);
  }
}

// 20261128T151157-00 as a person writes it.
function readable(name) {
  const parts = name.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]} ${parts[4]}:${parts[5]}:${parts[6]}` : name;
}
