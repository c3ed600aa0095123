// Every request of the page: to the server that the page came from, and nowhere else.

import { read, write } from "./storage.js";

/** What a person can be told about a request that failed. `name` is a string of words.js. */
export class ServerError extends Error {
  constructor(name, { status = 0, detail = "", seconds = 0 } = {}) {
    super(detail || name);
    Object.assign(this, { name, status, detail, seconds });
  }
}

export function keepKey(key) {
  write("key", key);
  document.dispatchEvent(new Event("key"));
}

function headers(more = {}) {
  const key = read("key", "");
  return key ? { ...more, Authorization: `Bearer ${key}` } : more;
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("unreachable");
  }
  if (!response.ok) throw await failure(response.status, response.headers.get("Retry-After"), await response.text());
  return response;
}

function failure(status, retryAfter, body) {
  let detail = "";
  try {
    detail = JSON.parse(body).error ?? "";
  } catch {
    // Not from this server's own code: a proxy's page, which no one wants to read here.
  }
  const seconds = Math.min(Math.max(Number.parseInt(retryAfter, 10) || 2, 1), 60);
  if (status === 401 || status === 403) return new ServerError("keyNeeded", { status, detail });
  if (status === 429) return new ServerError("tooMany", { status, detail, seconds });
  if (status === 503) return new ServerError("busy", { status, detail, seconds });
  return new ServerError("failed", { status, detail });
}

function post(path, body, signal) {
  const json = headers({ "Content-Type": "application/json" });
  return request(path, { method: "POST", headers: json, body: JSON.stringify(body), signal });
}

export async function models() {
  return (await request("models", { headers: headers() })).json();
}

/** Limits: `charLimit` (-1: none) and `supportedFilesFormat`. */
export async function settings() {
  return (await request("frontend/settings", { headers: headers() })).json();
}

export async function translate(body, signal) {
  return (await post("api/translate", body, signal)).json();
}

/** Translates one text: `onSentence` is called with each sentence as it comes; resolves with the data of `done`. */
export async function stream(body, signal, onSentence) {
  return readEvents(await post("api/translate/stream", body, signal), onSentence);
}

/** Translates a file: `onProgress` is called with `{share}`; resolves with `{name, text}` of its translation. */
export async function translateFile(file, fields, signal, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  form.append("file", file);
  const accepting = headers({ Accept: "text/event-stream" });
  return readEvents(await request("api/translate_file", { method: "POST", headers: accepting, body: form, signal }), onProgress);
}

/** Calls `onData` with the data of each event; resolves with that of the event `done`. */
async function readEvents(response, onData) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    let chunk;
    try {
      chunk = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError("cutShort");
    }
    if (chunk.done) throw new ServerError("cutShort");
    const events = (waiting + chunk.value).replaceAll("\r\n", "\n").split("\n\n");
    waiting = events.pop();
    for (const [name, data] of events.map(parseEvent)) {
      if (name === "done") return data;
      if (name === "error") throw new ServerError("failed", { status: 500, detail: data.error });
      if (data) onData(data);
    }
  }
}

/** Name and data of one server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
function parseEvent(text) {
  let name = "message";
  const data = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5));
  }
  return [name, data.length ? JSON.parse(data.join("\n")) : null];
}
