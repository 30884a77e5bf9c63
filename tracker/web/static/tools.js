// The buttons of drawing, the hint for the next click, and the list of lines and zones.
import { button, el, swatch } from "./dom.js";
import { least } from "./geometry.js";

export class Tools {
  // `editor` draws; onclose(), onfreeze()
  constructor(editor, { onclose, onfreeze }) {
    Object.assign(this, { editor, onclose, onfreeze });
    this.hint = el("p", { class: "hint", id: "hint", role: "status" });
    this.bar = el("div", { class: "bar", role: "toolbar", "aria-label": "Draw" });
    this.problem = el("p", { class: "problem", role: "alert" });
    this.bubble = el("p", { class: "bubble", "aria-hidden": "true" });
    this.list = el("ul", { class: "shapes", "aria-label": "Lines and zones" });
    this.shown = "";
  }

  hide() {
    this.shown = "";
    this.hint.textContent = "";
    for (const each of [this.bar, this.list, this.problem]) each.replaceChildren();
    this.bubble.remove();
  }

  // `frozen` null: it is no live picture; `closes`: there is something else to look at
  show({ frozen, closes }) {
    const { editor } = this;
    const { shapes, drawing } = editor;
    this.hint.textContent = editor.hint;
    this.showProblem();
    const key = JSON.stringify([
      Boolean(shapes.size), drawing?.kind, drawing?.points.length, shapes.mayUndo, shapes.future.length, shapes.versions, frozen, closes,
      shapes.list.map(({ id, name, color }) => [id, name, color]), editor.selected,
    ]);
    if (key === this.shown) return;
    this.shown = key;
    const focus = document.activeElement?.closest?.(".bar, .shapes") && document.activeElement.textContent;
    const kinds = ["Line", "Zone"].map((text) => {
      const kind = text.toLowerCase();
      return button(text, () => editor.begin(kind), { "aria-pressed": String(drawing?.kind === kind), disabled: !shapes.size });
    });
    const enough = drawing && drawing.points.length >= least(drawing.kind);
    this.bar.replaceChildren(
      ...kinds,
      ...(drawing ? [button("Done", () => editor.finish(), { disabled: !enough }), button("Cancel", () => editor.cancel())] : []),
      button("Undo", () => editor.undo(), { disabled: !shapes.mayUndo && !drawing }),
      button("Redo", () => shapes.redo(), { disabled: !shapes.future.length }),
      ...(frozen === null ? [] : [button("Freeze", this.onfreeze, { "aria-pressed": String(frozen) })]),
      ...(shapes.versions.length ? [this.versions()] : []),
      ...(closes ? [button("Close", this.onclose)] : []),
    );
    this.list.replaceChildren(...shapes.list.map(({ id, name, color }) =>
      el("li", {}, button([swatch(color), name], () => editor.select(id), { "aria-pressed": String(id === editor.selected) }))));
    if (focus) [...this.bar.children, ...this.list.querySelectorAll("button")].find((each) => each.textContent === focus && !each.disabled)?.focus();
  }

  versions() {
    const { shapes } = this.editor;
    return el("select", { "aria-label": "Earlier versions", onchange: (event) => event.target.value && shapes.bringBack(event.target.value) },
      el("option", { value: "" }, "Earlier versions …"), shapes.versions.map((name) => el("option", { value: name }, readable(name))));
  }

  // In words below the picture, and beside the shape that is wrong.
  showProblem() {
    const { shapes, size, svg } = this.editor;
    const wrong = shapes.list[shapes.problemAt ?? -1];
    if (this.problem.dataset.text !== shapes.problem) {
      this.problem.dataset.text = shapes.problem;
      this.problem.replaceChildren(shapes.problem, ...(shapes.conflict ? [" ", button("Reload", () => shapes.load().catch((error) => shapes.wrong(error)))] : []));
    }
    if (!wrong || !svg.parentNode) return this.bubble.remove();
    const [xs, ys] = [0, 1].map((n) => wrong.points.map((point) => point[n]));
    const [x, top, bottom] = [(Math.min(...xs) + Math.max(...xs)) / 2 / size[0], Math.min(...ys) / size[1], Math.max(...ys) / size[1]];
    const place = top > 0.2 ? "above" : bottom < 0.8 ? "below" : "inside"; // where no corner is hidden
    this.bubble.textContent = shapes.problem;
    this.bubble.style.left = `${Math.min(Math.max(x, 0.3), 0.7) * 100}%`;
    this.bubble.style.top = `${{ above: top, below: bottom, inside: 0.5 }[place] * 100}%`;
    this.bubble.className = `bubble ${place}`;
    svg.after(this.bubble);
  }
}

// 20261128T151157-00 as a person writes it.
function readable(name) {
  const parts = name.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]} ${parts[4]}:${parts[5]}:${parts[6]}` : name;
}
