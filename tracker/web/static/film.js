// What is seen of a source: the live picture, or of a file a picture of it to draw on, or the video that was made.
import { clock, el } from "./dom.js";
import { Picture } from "./picture.js";

const BEFORE_S = 2; // a click on an event plays from so long before it
const SEEK_MS = 150;

export class Film {
  // ontell(text) about what cannot be shown; onseek() where the slider was moved; onlength(from, to) of the video, in seconds of the film
  constructor(source, { ontell, onseek, onlength }) {
    this.id = source.id;
    Object.assign(this, { ontell, onlength });
    this.from = source.video_from_s;
    this.length = source.length_s ?? 0;
    this.picture = new Picture(source.name);
    this.still = el("img", { alt: "" });
    this.still.addEventListener("error", () => ontell("There is no picture at this second."));
    this.still.addEventListener("load", () => {
      this.frame.style.setProperty("--ratio", this.still.naturalWidth / this.still.naturalHeight);
      ontell("");
    });
    this.frame = el("div", { class: "view" });
    this.node = el("div", { class: "stage" }, this.picture.node);
    this.slider = el("input", { type: "range", min: 0, max: this.length || 1, step: "any", value: this.from, "aria-label": "Second of the film" });
    this.sliderText = el("span", { class: "pale" });
    this.seeker = el("div", { class: "seeker", hidden: true }, this.slider, this.sliderText);
    this.slider.addEventListener("input", () => {
      this.showTime();
      clearTimeout(this.seeking);
      this.seeking = setTimeout(() => this.seek(), SEEK_MS);
      onseek();
    });
    this.mode = "live";
    this.runs = null;
  }

  // "live", "still" or "video"; a run makes a new video.
  show(mode, runs) {
    if (mode === this.mode && (mode !== "video" || runs === this.runs)) return;
    if (this.mode === "video" && mode === "still" && this.video.currentTime) this.slider.value = this.from + this.video.currentTime;
    [this.mode, this.runs] = [mode, runs];
    this.video = null;
    this.seeker.hidden = mode !== "still";
    if (mode === "video") {
      this.video = el("video", { controls: true, preload: "metadata", playsinline: true, src: `api/results/${this.id}-video?run=${runs}`, "aria-label": "The written video" });
      this.video.addEventListener("loadedmetadata", ({ target }) => {
        this.frame.style.setProperty("--ratio", target.videoWidth / target.videoHeight);
        this.onlength(this.from, this.from + target.duration);
      });
      this.video.addEventListener("error", () => this.ontell("This browser cannot play the video; download it below."));
      this.frame.replaceChildren(this.video);
    } else if (mode === "still") {
      this.frame.replaceChildren(this.still);
      this.seek();
    }
    this.node.replaceChildren(mode === "live" ? this.picture.node : this.frame);
    this.showTime();
  }

  // What the drawing lies upon.
  get under() {
    return this.mode === "live" ? this.picture.node : this.frame;
  }

  seek() {
    const at = Number(this.slider.value);
    this.still.alt = `The film at ${clock(at)}`;
    this.still.src = `api/sources/${this.id}/frame.jpg?at=${at.toFixed(2)}`;
  }

  showTime() {
    const text = `${clock(Number(this.slider.value))} of ${clock(this.length)}`;
    this.sliderText.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
  }

  // `at` is a second of the film; the video may begin later than it. Where there is none, the picture is shown.
  play(at) {
    if (this.mode === "still") {
      this.slider.value = at;
      this.showTime();
      this.seek();
    }
    if (!this.video) return;
    this.video.currentTime = Math.max(at - this.from - BEFORE_S, 0);
    this.video.play().catch(() => {});
    this.node.scrollIntoView({ block: "nearest" });
  }

  leave() {
    clearTimeout(this.seeking);
    this.picture.leave();
  }
}
