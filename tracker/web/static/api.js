// What the server is asked for. Paths are relative, so that a proxy may put the page anywhere.

export class Problem extends Error {
  constructor(status, body) {
    super(body.error || `the server answered ${status}`);
    this.status = status;
    this.index = body.index;
    this.about = body; // of a broken zone file its version, and the earlier ones
  }
}

export async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(`api/${path}`, { method, body: body && JSON.stringify(body) });
  if (answer.status === 401) location.replace("login");
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, found);
  return found;
}

// A file that is made for whoever asks: saved, or refused with a sentence.
export async function save(path) {
  const answer = await fetch(`api/${path}`);
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  const name = answer.headers.get("content-disposition")?.match(/filename="([^"]+)"/)?.[1] ?? "track";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// One WebSocket: states and events as they happen, pictures only as fast as they are drawn.
export class Live {
  constructor() {
    this.wanted = [];
    this.onstate = this.onevents = this.onpicture = this.onconnection = () => {};
    this.connect();
  }

  connect() {
    const url = new URL("ws", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.hash = "";
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.onconnection(true);
      this.send({ watch: this.wanted });
    };
    this.socket.onmessage = ({ data }) => (typeof data === "string" ? this.text(JSON.parse(data)) : this.picture(data));
    this.socket.onclose = async () => {
      this.onconnection(false);
      setTimeout(() => this.connect(), 1000);
      const answer = await fetch("api/sources").catch(() => null);
      if (answer && answer.status === 401) location.replace("login");
    };
  }

  text(message) {
    if (message.sources) this.onstate(message);
    if (message.events) this.onevents(message.source, message.events);
  }

  async picture(data) {
    const length = new DataView(data).getUint32(0);
    const about = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    try {
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
      this.onpicture(about, bitmap);
      bitmap.close();
    } finally {
      this.send({ ack: about.source });
    }
  }

  watch(wanted) {
    const text = JSON.stringify(wanted);
    if (text === JSON.stringify(this.wanted)) return;
    this.wanted = wanted;
    this.send({ watch: wanted });
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
