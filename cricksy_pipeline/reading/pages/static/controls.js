// Buttons, keys and the slider of the video; the list of moments; what is said aloud.
// Belongs here: from a person's hand to the stage, and back to what he reads. Does not belong here: seeking itself (stage.js).

import { clock } from "./times.js";

/** Wires everything inside `root` that carries data-do, data-rate, data-seek or data-read to the stage. */
export function connectControls(root, stage) {
  const { playback } = stage;
  const slider = root.querySelector("[data-read=slider]");
  const play = root.querySelector("[data-do=play]");
  const say = (text) => {
    root.querySelector("[data-read=said]").textContent = text;
  };

  const doing = {
    play: () => stage.toggle(),
    "frame-back": () => stage.step(-1),
    "frame-on": () => stage.step(1),
    "event-back": () => sayEvent(stage.stepEvent(-1)),
    "event-on": () => sayEvent(stage.stepEvent(1)),
  };
  const sayEvent = (event) => say(event ? `Ball ${event.delivery}, ${event.label}, ${event.clock}` : "No further moment.");

  for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", () => doing[button.dataset.do]());
  for (const radio of root.querySelectorAll("[data-rate]")) radio.addEventListener("change", () => stage.setRate(Number(radio.dataset.rate)));
  root.querySelector("[data-read=drawn]").addEventListener("change", (event) => stage.setDrawn(event.target.checked));

  slider.max = playback.frames.length - 1;
  slider.disabled = false;
  slider.addEventListener("input", () => stage.showFrame(Number(slider.value)));

  // Anything on the page that names a time takes the video there.
  for (const link of document.querySelectorAll("[data-seek]")) {
    link.addEventListener("click", () => {
      stage.showTime(Number(link.dataset.seek));
      if (!root.contains(link)) root.scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
      say(`Video at ${clock(Number(link.dataset.seek))}`);
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || ownsKeys(event.target, slider)) return;
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (side) event.shiftKey ? sayEvent(stage.stepEvent(side)) : stage.step(side);
    else if (event.key === " " && !event.target.closest("button, a, summary")) stage.toggle();
    else return;
    event.preventDefault();
  });

  const moments = [...document.querySelectorAll(".time[data-seek]")];
  const momentFrames = moments.map((button) => playback.frameAt(Number(button.dataset.seek)));
  const time = root.querySelector("[data-read=time]"), frame = root.querySelector("[data-read=frame]");
  const refresh = () => {
    time.textContent = clock(stage.time);
    frame.textContent = `frame ${stage.frame + 1} of ${playback.frames.length}`;
    slider.value = stage.frame;
    slider.setAttribute("aria-valuetext", `${clock(stage.time)}, frame ${stage.frame + 1} of ${playback.frames.length}`);
    moments.forEach((button, i) => (momentFrames[i] === stage.frame ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current")));
  };
  stage.addEventListener("frame", refresh);
  stage.addEventListener("state", () => {
    const paused = stage.video.paused;
    play.dataset.state = paused ? "paused" : "playing";
    play.setAttribute("aria-label", paused ? "Play" : "Pause");
  });
  refresh();
}

/** Fields that use the arrow keys themselves; the slider of the video is ours. */
function ownsKeys(target, slider) {
  return target !== slider && target.closest("input, select, textarea, [contenteditable], .scrolls");
}

export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Small marks over the slider: each ball a stretch, each moment a line. */
export function drawTimeline(svg, playback) {
  const whole = playback.duration || 1;
  const place = (t) => `${((100 * t) / whole).toFixed(3)}%`;
  const add = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    svg.append(made);
  };
  for (const ball of playback.deliveries) {
    add("rect", { class: "ball-span", x: place(ball.start_s), width: place(ball.end_s - ball.start_s), y: "30%", height: "40%", rx: 2 });
  }
  for (const event of playback.events) add("line", { class: "event-tick", x1: place(event.t_s), x2: place(event.t_s), y1: "10%", y2: "90%" });
}
