// The player page of one stream. It plays as soon as the stream is live, and
// starts again by itself after whatever goes wrong. The state of #player tells
// tests and people how it stands: loading, waiting, blocked, buffering,
// playing or paused.
"use strict";

const name = decodeURIComponent(location.pathname.replace(/^\/|\/$/g, ""));
const url = "/" + name + ".m3u8";
const root = document.getElementById("player");
const stage = document.getElementById("stage");
const startButton = document.getElementById("start");

const pollInterval = 3000; // of the stream's state
const stallLimit = 12000;  // without progress before the player is made anew

let media = null;      // the video or audio element
let hls = null;        // the hls.js instance, if that plays
let kind = "";         // "video" or "audio"
let stream = null;     // the newest state of the API
let lastTime = 0;      // of media.currentTime, and when it last moved
let lastMoved = 0;
let restartTimer = 0;

function text(id, value) { document.getElementById(id).textContent = value; }

function setState(state, sentence) {
  root.dataset.state = state;
  text("status", sentence || "");
}

// useNative tells whether the browser's own player is the better one: Safari's
// is, and where there is no MediaSource it is the only one. That Chromium
// claims to play HLS too is no reason.
function useNative() {
  const probe = document.createElement("video");
  const can = probe.canPlayType("application/vnd.apple.mpegurl") !== "";
  const apple = "WebKitPlaybackTargetAvailabilityEvent" in window || /iPhone|iPad|iPod/.test(navigator.userAgent);
  return can && (apple || !window.Hls || !Hls.isSupported());
}

function stop() {
  clearTimeout(restartTimer);
  restartTimer = 0;
  if (hls) hls.destroy();
  hls = null;
  if (media) {
    media.removeAttribute("src");
    media.load();
    media.remove();
  }
  media = null;
}

// restart makes the player anew after a while, when the stream is live.
function restart(delay) {
  if (restartTimer) return;
  restartTimer = setTimeout(() => { stop(); begin(); }, delay);
}

// canPlay tells whether there is something to play: HLS, or what is only to be
// had as one endless stream.
function canPlay() { return stream !== null && (stream.state === "live" || stream.state === "continuous"); }

function begin() {
  restartTimer = 0;
  if (!canPlay()) return; // poll calls again
  kind = hasPicture() ? "video" : "audio";
  media = document.createElement(kind);
  media.controls = true;
  media.setAttribute("playsinline", "");
  stage.dataset.kind = kind;
  stage.replaceChildren(media);
  watch(media);
  lastTime = 0;
  lastMoved = Date.now();
  const endless = stream.state === "continuous";
  if (endless || useNative()) {
    text("engine", "the browser's own");
    media.src = endless ? "/" + name + ".ogg" : url;
    media.addEventListener("error", () => restart(2000));
    if (endless) media.addEventListener("ended", () => restart(1000));
    play();
  } else if (window.Hls && Hls.isSupported()) {
    text("engine", "hls.js " + Hls.version);
    withHls();
  } else {
    setState("waiting", "This browser can play neither HLS nor use hls.js; open " + location.origin + url + " in VLC.");
  }
}

function hasPicture() {
  const tracks = stream.program ? stream.program.tracks : [];
  return tracks.length === 0 || tracks.some((t) => t.width > 0);
}

function withHls() {
  let recovered = 0;
  hls = new Hls({
    liveSyncDurationCount: 3,
    liveMaxLatencyDurationCount: 8,
    maxLiveSyncPlaybackRate: 1.05,
    backBufferLength: 30,
  });
  hls.on(Hls.Events.MANIFEST_PARSED, play);
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && Date.now() - recovered > 10000) {
      recovered = Date.now();
      hls.recoverMediaError();
      play();
      return;
    }
    setState("buffering", "The stream was interrupted (" + data.details + "); starting again.");
    restart(2000);
  });
  hls.loadSource(url);
  hls.attachMedia(media);
}

// play starts, without sound if the browser wants a click for sound.
async function play() {
  const element = media;
  try {
    await element.play();
  } catch (error) {
    if (element !== media || error.name !== "NotAllowedError") return;
    if (kind === "video" && !element.muted) {
      element.muted = true;
      play();
      return;
    }
    startButton.hidden = false;
    setState("blocked", "Press Play.");
  }
}

function watch(element) {
  const on = (event, state, sentence) => element.addEventListener(event, () => {
    if (element === media) setState(state, sentence);
  });
  on("playing", "playing");
  on("waiting", "buffering", "Loading…");
  on("pause", "paused", "Paused.");
  element.addEventListener("playing", () => { startButton.hidden = true; });
}

startButton.addEventListener("click", () => {
  startButton.hidden = true;
  if (media) media.play();
});

// tick shows how it stands, and makes a player anew that has got stuck.
function tick() {
  if (!media) {
    text("latency", "–");
    return;
  }
  const now = Date.now();
  if (media.paused || media.currentTime !== lastTime) {
    lastTime = media.currentTime;
    lastMoved = now;
  } else if (now - lastMoved > stallLimit) {
    lastMoved = now;
    restart(0);
  }
  const seconds = latency();
  text("latency", seconds === null ? "–" : seconds.toFixed(1) + " s");
  text("resolution", media.videoWidth ? `${media.videoWidth}×${media.videoHeight}` : "none");
}

// latency returns how long ago what is shown now was on the air, in seconds.
function latency() {
  const date = hls ? hls.playingDate
    : media.getStartDate ? new Date(media.getStartDate().getTime() + media.currentTime * 1000) : null;
  const age = date ? (Date.now() - date.getTime()) / 1000 : NaN;
  return Number.isFinite(age) ? Math.max(0, age) : null;
}

async function poll() {
  try {
    const answer = await fetch("/api/v1/streams/" + name, { cache: "no-store" });
    if (answer.status === 404) {
      setState("waiting", "There is no stream of this name.");
    } else if (answer.ok) {
      stream = await answer.json();
      showStream();
    }
  } catch {
    if (!media) setState("waiting", "The server does not answer; trying again.");
  }
  setTimeout(poll, pollInterval);
}

function showStream() {
  document.getElementById("notes").replaceChildren(...stream.notes.map((note) => {
    const item = document.createElement("li");
    item.textContent = note;
    return item;
  }));
  showLinks();
  if (canPlay()) {
    if (!media && !restartTimer) begin();
  } else if (!media || media.paused || root.dataset.state !== "playing") {
    stop();
    setState("waiting", "Not live: " + (stream.reason || "the stream has ended") + ".");
  }
}

function showLinks() {
  const audio = { AAC: ".aac", MP3: ".mp3" };
  const suffixes = stream.state === "continuous" ? [".ogg"] : [".m3u8", ".ts"];
  const tracks = stream.program ? stream.program.tracks : [];
  const sound = tracks.find((t) => audio[t.codec]);
  if (sound) suffixes.push(audio[sound.codec]);
  document.getElementById("links").replaceChildren(...suffixes.map((suffix) => {
    const link = document.createElement("a");
    link.href = link.textContent = "/" + name + suffix;
    return link;
  }));
}

document.title = name + " – headwater";
text("name", name);
poll();
setInterval(tick, 500);
