// The list of streams. It asks the API every few seconds.
"use strict";

const interval = 3000;
const list = document.getElementById("streams");
const status = document.getElementById("status");

function element(tag, text, properties) {
  const e = document.createElement(tag);
  e.textContent = text;
  return Object.assign(e, properties);
}

// tracksOf says in words what a stream carries.
function tracksOf(stream) {
  const tracks = stream.program ? stream.program.tracks : [];
  return tracks.map((t) => {
    const details = [];
    if (t.width) details.push(`${t.width}×${t.height}`);
    if (t.sample_rate) details.push(`${t.sample_rate / 1000} kHz`);
    return [t.codec, ...details].join(" ");
  }).join(", ");
}

function show(stream) {
  const item = document.createElement("li");
  const title = document.createElement("h2");
  title.append(element("a", stream.name, { href: "/" + stream.name }));
  const state = element("span", stream.state, { className: "state" });
  state.dataset.state = stream.state;
  item.dataset.stream = stream.name;
  item.append(title, state);
  const tracks = tracksOf(stream);
  if (tracks) item.append(element("p", tracks, { className: "quiet" }));
  if (stream.source) item.append(element("p", `from ${stream.source.remote || stream.source.kind}, ${stream.source.format}`, { className: "quiet" }));
  if (stream.reason) item.append(element("p", stream.reason));
  for (const note of stream.notes) item.append(element("p", note));
  return item;
}

async function refresh() {
  try {
    const answer = await fetch("/api/v1/streams", { cache: "no-store" });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const state = await answer.json();
    list.replaceChildren(...state.streams.map(show));
    document.getElementById("server").textContent = state.version ? `version ${state.version}` : "";
    status.textContent = state.streams.length ? "" : "There are no streams.";
    status.dataset.state = "ready";
  } catch (error) {
    status.textContent = `The server does not answer (${error.message}); trying again.`;
    status.dataset.state = "error";
  }
  setTimeout(refresh, interval);
}

refresh();
