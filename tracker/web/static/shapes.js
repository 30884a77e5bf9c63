// The lines and zones of one source, as the server has them: every change is saved at once, and can be undone.
import { Problem, ask } from "./api.js";
import { turned } from "./geometry.js";

export class Shapes {
  constructor(sourceId, onchange) {
    this.path = `sources/${sourceId}/shapes`;
    this.onchange = onchange;
    this.list = []; // as shown; what was refused stays here until it is put right or undone
    this.saved = null; // what the server has, while something refused is shown
    this.answered = [];
    this.fixed = [];
    this.versions = [];
    this.version = "";
    this.size = null; // of the picture, [width, height]
    this.problem = "";
    this.problemAt = null; // which shape is wrong
    this.conflict = false;
    this.past = [];
    this.future = [];
    this.saving = 0; // how many changes are on their way
    this.line = Promise.resolve();
    this.made = 0;
  }

  get(id) {
    return this.list.find((shape) => shape.id === id && id !== null);
  }

  async load() {
    try {
      const answer = await ask(this.path);
      this.right();
      this.saved = null;
      this.take(answer);
    } catch (error) {
      if (!error.about?.versions) throw error;
      this.versions = error.about.versions; // the file was broken by hand: one of these can be brought back
      this.version = error.about.version;
      this.wrong(error);
    }
  }

  take(answer) {
    this.answered = answer.shapes;
    if (this.saving <= 1) this.list = answer.shapes; // else something newer is on its way
    for (const key of ["fixed", "version", "versions", "size", "file"]) this[key] = answer[key];
    this.onchange();
  }

  // Another tab, or a program, has changed the file.
  seen(version) {
    if (version !== this.version && !this.saving && !this.saved) this.load().catch((error) => this.wrong(error));
  }

  right() {
    this.problem = "";
    this.problemAt = null;
    this.conflict = false;
  }

  wrong(error) {
    this.problem = error.message;
    this.problemAt = error.index ?? null;
    this.conflict = error.status === 409;
    this.onchange();
  }

  // One after the other: each needs the version, and the ids, that the one before was answered with.
  save(shapes, remember = true) {
    const before = structuredClone(this.saved ?? this.list);
    this.list = shapes;
    this.saving += 1;
    const saved = this.line.then(() => this.put(shapes, before, remember)).finally(() => (this.saving -= 1));
    this.line = saved.catch(() => {});
    return saved;
  }

  async put(given, before, remember) {
    const known = new Set(this.answered.map((shape) => shape.id));
    const ids = new Map(this.answered.map((shape) => [shape.name, shape.id]));
    const shapes = given.map((shape) => ({ ...shape, id: known.has(shape.id) ? shape.id : ids.get(shape.name) }));
    try {
      const answer = await ask(this.path, "PUT", { version: this.version, shapes });
      if (remember) {
        this.past.push(before);
        this.future = [];
      }
      this.right();
      this.saved = null;
      this.take(answer);
      return true;
    } catch (error) {
      this.saved = before;
      this.wrong(error instanceof Problem ? error : new Problem(0, { error: "No connection to track: this change is not saved." }));
      return false;
    }
  }

  add(shape) {
    this.made += 1; // a name of its own until the server gives one, so that a shape that was refused can be put right
    return this.save([...this.list, { ...shape, id: `new${this.made}` }]);
  }

  change(id, values) {
    return this.save(this.list.map((shape) => (shape.id === id ? { ...shape, ...values } : shape)));
  }

  turn(id) {
    return this.change(id, { towards: turned(this.get(id)) });
  }

  remove(id) {
    return this.save(this.list.filter((shape) => shape.id !== id));
  }

  get mayUndo() {
    return Boolean(this.past.length || this.saved);
  }

  async undo() {
    await this.line;
    if (!this.saved) return this.travel(this.past, this.future);
    this.list = this.saved; // what was refused is taken back
    this.saved = null;
    this.right();
    this.onchange();
  }

  async redo() {
    await this.line;
    return this.travel(this.future, this.past);
  }

  async travel(from, to) {
    const shapes = from.pop();
    if (!shapes) return;
    const now = structuredClone(this.list);
    if (await this.save(shapes, false)) to.push(now);
    else from.push(shapes);
  }

  async bringBack(name) {
    await this.line;
    const now = structuredClone(this.list);
    try {
      const answer = await ask(`${this.path}/restore`, "POST", { name, version: this.version });
      this.past.push(now);
      this.future = [];
      this.right();
      this.saved = null;
      this.take(answer);
    } catch (error) {
      this.wrong(error);
    }
  }
}
