// The page: which view is shown, and what comes over the line.
import { Live, ask } from "./api.js";
import { el } from "./dom.js";
import { Wall } from "./wall.js";
import { Camera } from "./camera.js";

const main = document.getElementById("main");
const where = document.getElementById("where");
const connection = document.getElementById("connection");
const live = new Live();
const site = { live, sources: [], role: "viewer", reached: false };
let view = null;

function show() {
  view?.leave();
  live.watch([]); // the next view gets the newest picture, also of a camera that is lost
  const found = location.hash.match(/^#\/source\/(\d+)/);
  const source = found && site.sources.find((each) => each.id === Number(found[1]));
  view = source ? new Camera(site, source) : new Wall(site);
  where.hidden = !source || site.sources.length < 2;
  document.title = source ? `${source.name} – track` : "track";
  main.replaceChildren(view.node);
  window.scrollTo(0, 0);
  view.shown();
}

live.onstate = (message) => {
  const first = !site.reached;
  Object.assign(site, { sources: message.sources, role: message.role, reached: true });
  if (first && site.sources.length === 1 && !location.hash) location.replace("#/source/1");
  if (first) show();
  else view.state();
};
live.onpicture = (about, bitmap) => view?.picture(about, bitmap);
live.onevents = (source, rows) => view?.events(source, rows);
live.onconnection = (open) => {
  connection.textContent = open ? "" : "No connection to track; trying again …";
  if (!open) view?.lost();
};
window.addEventListener("hashchange", () => site.reached && show());
document.getElementById("logout").addEventListener("click", async () => {
  await ask("logout", "POST", {});
  location.replace("login");
});
main.replaceChildren(el("p", { class: "pale" }, "Connecting …"));
