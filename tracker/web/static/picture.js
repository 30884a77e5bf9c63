// A picture that says how old it is.
import { ago, el } from "./dom.js";

const OLD_S = 2;

export class Picture {
  constructor(name) {
    this.canvas = el("canvas", { width: 640, height: 360, role: "img", "aria-label": `Picture of ${name}` });
    this.veil = el("div", { class: "veil", role: "status" }, "no picture yet");
    this.node = el("div", { class: "view old" }, this.canvas, this.veil);
    this.came = null;
    this.frozen = false; // on purpose
    this.timer = setInterval(() => this.age(), 250);
  }

  // The first picture of a film that nobody runs yet.
  still(url) {
    const image = new Image();
    image.onload = () => {
      if (this.came !== null) return;
      [this.canvas.width, this.canvas.height] = [image.naturalWidth, image.naturalHeight];
      this.node.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
      this.canvas.getContext("2d").drawImage(image, 0, 0);
    };
    image.src = url;
    this.done = true;
    this.age();
  }

  draw(about, bitmap) {
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      this.canvas.width = bitmap.width;
      this.canvas.height = bitmap.height;
      this.node.style.setProperty("--ratio", bitmap.width / bitmap.height);
    }
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    this.canvas.dataset.frame = about.frame;
    this.came = performance.now() / 1000 - about.age;
    this.age();
  }

  age() {
    const age = this.came === null ? null : performance.now() / 1000 - this.came;
    const old = age === null || age > OLD_S;
    this.node.classList.toggle("old", old && !this.done && !this.frozen);
    const text = age === null ? "no picture yet" : `no picture for ${ago(age)}`;
    if (this.veil.textContent !== text) this.veil.textContent = text;
  }

  leave() {
    clearInterval(this.timer);
  }

  get width() {
    return Math.ceil((this.node.clientWidth || 320) * Math.min(window.devicePixelRatio || 1, 2));
  }
}
