// The form for a new video: choosing or dropping a file, saying what was filmed, sending, going on after a reload.
// Belongs here: the form. Does not belong here: moving bytes (sending.js), what the browser remembers (unfinished.js).

import "./page.js";
import { Sending } from "./sending.js";
import { API, ask } from "./server.js";
import { sessionOf } from "./session-fields.js";
import { forget, isSame, remember, remembered } from "./unfinished.js";

const SAY_EVERY = 10;
const form = document.querySelector("form.upload");
const part = (name) => form.querySelector(`[data-part=${name}]`);
const button = (name) => form.querySelector(`[data-do=${name}]`);
const input = form.querySelector("#file");
let note = null;
let sending = null;
let said = -1;

input.addEventListener("change", chosen);
connectDrop();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
button("forget").addEventListener("click", throwAway);
button("cancel").addEventListener("click", throwAway);
button("pause").addEventListener("click", () => {
  sending?.pause();
});
addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();
});
offerToGoOn();

// --------------------------------------------------------------------------------------------------------------- the file

function connectDrop() {
  const place = part("drop");
  const over = (event) => {
    event.preventDefault();
    place.classList.add("over");
  };
  // The whole window, so that a file dropped beside the field does not replace the page.
  addEventListener("dragover", over);
  addEventListener("dragleave", (event) => event.relatedTarget || place.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (sending || !event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    chosen();
  });
}

function chosen() {
  const file = input.files[0];
  tell("file", "");
  if (!file) return;
  part("file-facts").textContent = `${file.name}, ${megabytes(file.size)}`;
  part("drop").classList.add("has-file");
  if (!form.title.value) form.title.placeholder = titleOf(file);
  const why = unfit(file);
  tell("file", why);
  if (!why && isSame(note, file)) send();
}

function unfit(file) {
  const most = Number(form.dataset.mostBytes);
  const suffixes = form.dataset.suffixes.split(" ");
  if (!suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix))) return `This is no video file that can be read here. These can: ${suffixes.join(", ")}.`;
  if (file.size > most) return `The file has ${megabytes(file.size)}; at most ${megabytes(most)} are taken. Export it at 1080p, or cut it shorter.`;
  if (file.size === 0) return "The file is empty.";
  return "";
}

function titleOf(file) {
  return file.name.replace(/\.[^.]+$/, "").replace(/[_-]+/g, " ");
}

export function megabytes(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

// ------------------------------------------------------------------------------------------------------------------ sending

async function send() {
  const file = input.files[0];
  const goingOn = file && isSame(note, file);
  const mode = form.querySelector("[name=analysis_mode]:checked")?.value;
  const wrong = file ? unfit(file) : "Choose a video first.";
  tell("file", wrong);
  tell("mode", mode || goingOn ? "" : "Say what was filmed: it decides what is measured.");
  tell("sending", "");
  const problem = wrong ? input : mode || goingOn ? null : form.querySelector("[name=analysis_mode]");
  if (problem) return problem.focus();
  under(true);
  part("sending-name").textContent = file.name;
  progress(0, file.size, "Preparing…");
  try {
    const upload = goingOn ? await ask("GET", `${API}/videos/upload/${note.id}`) : await begin(file, mode);
    remember(upload, file);
    note = remembered();
    sending = new Sending(file, upload, (bytes) => progress(bytes, file.size));
    await sending.send();
    sending = null;
    progress(file.size, file.size, "All there. Checking that it is a video…");
    const { job } = await ask("POST", `${API}/videos/upload/${upload.id}/complete`, {});
    forget();
    location.assign(`/analyses/${job.id}`);
  } catch (error) {
    stopped(error);
  }
}

async function begin(file, mode) {
  const { session, options } = sessionOf(form, mode, form.title.value.trim() || titleOf(file));
  const made = await ask("POST", `${API}/sessions`, session);
  try {
    return await ask("POST", `${API}/videos/upload/initiate`, {
      session_id: made.id,
      file_name: file.name,
      content_type: file.type || undefined,
      size_bytes: file.size,
      analysis_mode: mode,
      ...options,
    });
  } catch (error) {
    // A session without a video helps nobody; if this fails too, it can be deleted by hand.
    await ask("DELETE", `${API}/sessions/${made.id}`).catch(() => {});
    throw error;
  }
}

function stopped(error) {
  sending = null;
  under(false);
  if (error.name === "AbortError") {
    if (!note) return; // thrown away, which says so itself
    say("Paused.");
    button("send").textContent = "Go on";
    return;
  }
  // The video itself was refused: nothing to go on with.
  if (["NOT_A_VIDEO", "NO_VIDEO_STREAM", "VIDEO_TOO_LARGE", "VIDEO_TOO_LONG", "VIDEO_CORRUPT"].includes(error.code) || error.status === 404) {
    forget();
    note = null;
    part("sending").hidden = true;
  } else if (note) button("send").textContent = "Go on";
  tell("sending", error.message);
}

// -------------------------------------------------------------------------------------------------------- after a reload

async function offerToGoOn() {
  note = remembered();
  if (!note) return;
  try {
    const upload = await ask("GET", `${API}/videos/upload/${note.id}`);
    const there = upload.parts.reduce((bytes, each) => bytes + (each.received ? each.size : 0), 0);
    part("resume-name").textContent = note.name;
    part("resume-share").textContent = `${Math.floor((100 * there) / upload.size_bytes)} %`;
    part("resume").hidden = false;
  } catch (error) {
    if (error.retryable) return;
    forget();
    note = null;
  }
}

async function throwAway() {
  const old = note;
  sending?.pause();
  forget();
  note = null;
  part("resume").hidden = true;
  part("sending").hidden = true;
  button("send").textContent = "Upload and analyse";
  if (old) await ask("DELETE", `${API}/videos/upload/${old.id}`).catch(() => {});
  say("The upload was thrown away.");
  input.focus();
}

// ------------------------------------------------------------------------------------------------------ what is on the page

function under(way) {
  form.toggleAttribute("data-sending", way);
  part("sending").hidden = !way && !note;
  for (const field of form.querySelectorAll("input, select, textarea")) field.disabled = way;
  button("send").hidden = way;
  button("pause").hidden = !way;
  button("cancel").hidden = !way;
  part("resume").hidden = true;
}

function progress(bytes, of, words) {
  const share = of ? Math.floor((100 * bytes) / of) : 0;
  part("bar").value = share;
  part("sending-words").textContent = words || `${share} %, ${megabytes(bytes)} of ${megabytes(of)}`;
  const step = Math.floor(share / SAY_EVERY);
  if (step !== said || words) say(words || `${share} per cent sent`);
  said = step;
}

function say(text) {
  part("said").textContent = text;
}

function tell(name, text) {
  const place = form.querySelector(`#${name}-problem`);
  place.textContent = text;
  place.hidden = !text;
  if (name === "file") input.setAttribute("aria-invalid", String(Boolean(text)));
}
