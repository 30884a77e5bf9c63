// What can be said of the line or zone that is chosen; each answer is saved at once.
import { button, el, hex } from "./dom.js";

const ANCHORS = ["bottom_center", "center", "top_center", "bottom_left", "bottom_right", "top_left", "top_right", "center_left", "center_right", "shape"];

export class Form {
  constructor(shapes) {
    this.shapes = shapes;
    this.node = el("div", { class: "shapeform" });
    this.shown = "";
  }

  show(shape, classes = []) {
    const key = shape ? JSON.stringify([shape, classes.length]) : "";
    if (key === this.shown) return;
    const focus = this.node.contains(document.activeElement) ? document.activeElement.id : null;
    const same = shape && this.id === shape.id;
    this.shown = key;
    this.id = shape?.id;
    this.node.replaceChildren(...(shape ? this.parts(shape, classes) : []));
    if (same && focus) document.getElementById(focus)?.focus();
  }

  parts(shape, classes) {
    const set = (values) => this.shapes.change(shape.id, values);
    const text = (name) => el("input", { value: shape[name] ?? "", maxlength: 200, onchange: ({ target }) => set({ [name]: target.value.trim() || shape[name] }) });
    const seen = el("input", {
      value: shape.classes.join(", "), placeholder: "all", list: "classes",
      onchange: ({ target }) => set({ classes: target.value.split(",").map((name) => name.trim()).filter(Boolean) }),
    });
    const color = el("input", { type: "color", value: hex(shape.color), onchange: ({ target }) => set({ color: target.value }) });
    const anchor = el("select", { onchange: ({ target }) => set({ anchor: target.value }) },
      ANCHORS.includes(shape.anchor) ? null : el("option", { selected: true }, shape.anchor),
      ANCHORS.map((name) => el("option", { value: name, selected: name === shape.anchor }, name.replace("_", " "))));
    const loiter = el("input", { type: "number", min: 0, step: "any", value: shape.loiter ?? "", placeholder: "never", onchange: ({ target }) => set({ loiter: target.value ? Number(target.value) : null }) });
    const line = shape.kind === "line";
    const rows = [
      field("Name", text("name")),
      ...(line ? [field("With the arrow", text("in")), field("Against the arrow", text("out"))] : []),
      field("Classes", seen, "Which objects count, such as: person, car"),
      field("Point of the box", anchor, "Where an object is: at its feet, or elsewhere in its box"),
      ...(line ? [] : [field("Loitering after", loiter, "Seconds inside until an event tells of it")]),
      field("Colour", color),
    ];
    return [
      el("h2", {}, shape.name),
      el("div", { class: "form" }, rows),
      el("datalist", { id: "classes" }, classes.map((name) => el("option", { value: name }))),
      el("div", { class: "bar" }, line ? button("Turn", () => this.shapes.turn(shape.id), { title: "Let the arrow lead to the other side" }) : null, button("Delete", () => this.shapes.remove(shape.id))),
    ];
  }
}

function field(label, input, help = "") {
  const id = `field-${label.toLowerCase().replace(/\W/g, "-")}`;
  input.id = id;
  if (help) input.setAttribute("aria-describedby", `${id}-help`);
  return [el("label", { for: id }, label), el("div", {}, input, help ? el("small", { class: "pale", id: `${id}-help` }, help) : null)];
}
