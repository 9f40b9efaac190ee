// The page of one analysis: follows it while it runs, and brings video, drawing and curves together when there is something to see.
// Belongs here: wiring. Does not belong here: how any part works (the other files).

import "./page.js";
import { connectControls, drawTimeline } from "./controls.js";
import { connectCurves } from "./curves.js";
import { loadPlayback } from "./playback.js";
import { followJob } from "./progress.js";
import { ask } from "./server.js";
import { Stage } from "./stage.js";

const FILM_WAIT_MS = 15000;
let stop = null;

start();

function start() {
  const job = document.querySelector("[data-job]").dataset.job;
  const notice = document.querySelector("[data-part=notice]");
  if (notice) connectActions(notice);
  if (notice?.querySelector("[data-part=live]")) {
    const hasFirstLook = document.querySelector("[data-job]").dataset.state === "preliminary";
    stop = followJob(job, notice, hasFirstLook, say, refresh);
  }
  const watch = document.querySelector("[data-part=watch]");
  if (watch) openVideo(job, watch);
}

function say(text) {
  document.querySelector(".unseen[data-part=said]").textContent = text;
}

/** The page as it is now, put in place of this one: no flash, no lost place, and the reader is told. */
async function refresh() {
  let text;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.redirected || !answer.ok) return location.reload();
    text = await answer.text();
  } catch {
    say("The connection is gone; trying again.");
    return void setTimeout(refresh, 5000);
  }
  const now = new DOMParser().parseFromString(text, "text/html");
  document.title = now.title;
  for (const place of ["main", "body > footer"]) {
    const old = document.querySelector(place), fresh = now.querySelector(place);
    if (old && fresh) old.replaceWith(fresh);
    else if (fresh) document.body.append(fresh);
    else old?.remove();
  }
  start();
  const heading = document.querySelector("#notice-title") || document.querySelector("#lead-title");
  // Written after the region is in the page, or it is not read out.
  setTimeout(() => say(heading ? heading.textContent : "The page has changed."), 100);
}

function connectActions(notice) {
  const problem = notice.querySelector("[data-part=problem]");
  for (const button of notice.querySelectorAll("[data-post]")) {
    button.addEventListener("click", async () => {
      const body = JSON.parse(button.dataset.body || "{}");
      if (notice.querySelector("[name=retry_mode]")) {
        body.analysis_mode = notice.querySelector("[name=retry_mode]:checked")?.value;
        if (!body.analysis_mode) return tell(problem, "Choose what was filmed first.");
      }
      button.disabled = true;
      try {
        await ask("POST", button.dataset.post, body);
        stop?.();
        await refresh();
      } catch (error) {
        button.disabled = false;
        tell(problem, error.message);
      }
    });
  }
}

function tell(place, text) {
  place.textContent = text;
  place.hidden = false;
}

async function openVideo(job, watch) {
  const video = watch.querySelector("video"), screen = watch.querySelector("[data-part=screen-says]");
  // The browser's own controls, until ours are there, and for good where they cannot be.
  const giveUp = (text) => {
    screen.textContent = text;
    screen.hidden = false;
  };
  video.addEventListener("error", () => giveUp("This browser cannot play the file. The numbers below hold all the same."));
  if (video.error) giveUp("This browser cannot play the file. The numbers below hold all the same.");
  const slow = setTimeout(() => giveUp("The video is slow to arrive…"), FILM_WAIT_MS);
  connectCurveMenu(watch);
  let playback;
  try {
    playback = await loadPlayback(job);
  } catch {
    video.controls = true;
    clearTimeout(slow);
    return giveUp("The skeleton could not be loaded; the video plays without it.");
  }
  const stage = new Stage(video, watch.querySelector("canvas"), playback);
  stage.addEventListener("ready", () => {
    clearTimeout(slow);
    if (!video.error) screen.hidden = true;
    watch.dataset.ready = "true";
  });
  connectControls(watch, stage);
  drawTimeline(watch.querySelector("[data-part=marks]"), playback);
  connectCurves(watch.querySelectorAll("[data-series]"), stage);
  watch.stage = stage;
  // Begin where the first finding is to be seen.
  const first = document.querySelector(".lead [data-seek]");
  if (first) stage.showTime(Number(first.dataset.seek));
}

function connectCurveMenu(watch) {
  const menu = watch.querySelector("[data-part=curve]");
  if (!menu) return;
  const show = () => {
    for (const figure of watch.querySelectorAll("[data-series]")) figure.hidden = menu.value !== "" && figure.dataset.series !== menu.value;
  };
  menu.addEventListener("change", show);
  show();
}
