// Live progress of an analysis: server-sent events into a bar, and the page anew when there is more to read.
// Belongs here: following one job. Does not belong here: what the page then shows (the server renders it).

import { API } from "./server.js";

const STAGES = ["QUEUED", "QUICK", "DEEP", "DONE"];
const AGAIN_MS = 10000;

/**
 * Follows the job and calls `more()` when there is something new to read. Returns a function that stops.
 * `hasFirstLook`: the page shows the first look, or an earlier analysis, already.
 */
export function followJob(jobId, notice, hasFirstLook, say, more) {
  const bar = notice.querySelector("[data-part=bar]"), share = notice.querySelector("[data-part=share]");
  const stageWords = notice.querySelector("[data-part=stage]");
  let stage = null, furthest = Number(bar.value), timer = null;
  const events = new EventSource(`${API}/analysis-jobs/${jobId}/events`);
  const stop = () => {
    events.close();
    clearTimeout(timer);
  };
  const leave = () => {
    stop();
    more();
  };

  const show = (told) => {
    furthest = told.status === "queued" ? told.progress_pct : Math.max(furthest, told.progress_pct);
    bar.value = furthest;
    share.textContent = `${furthest} %`;
    if (told.stage === stage) return;
    const first = stage === null;
    stage = told.stage;
    markStage(notice, stage);
    const words = told.message || stageWords.textContent;
    stageWords.textContent = words;
    if (!first) say(`${words}, ${furthest} per cent`);
    // The first look is there: something to read long before the end.
    if (!hasFirstLook && (stage === "QUICK_DONE" || stage === "DEEP")) leave();
  };

  events.addEventListener("progress", (event) => show(JSON.parse(event.data)));
  events.addEventListener("finished", leave);
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) return say("The connection is gone; trying again.");
    clearTimeout(timer);
    timer = setTimeout(leave, AGAIN_MS);
  });
  return stop;
}

function markStage(notice, stage) {
  const now = STAGES.indexOf(stage === "QUICK_DONE" ? "DEEP" : stage);
  if (now < 0) return;
  for (const item of notice.querySelectorAll("[data-stage]")) {
    const place = STAGES.indexOf(item.dataset.stage);
    const standing = place < now ? "done" : place === now ? "now" : "to come";
    item.className = standing;
    item.querySelector("[data-part=standing]").textContent = `: ${standing}`;
  }
}
