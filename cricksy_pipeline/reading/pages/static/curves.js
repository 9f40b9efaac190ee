// The curves under the video: a cursor that follows it, the reading at the cursor, and a click or a key that takes the video there.
// Belongs here: from time to place on a drawing that the server made, and back. Does not belong here: drawing the curve.

import { clock } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";

/** Place of a time on the drawing; null where its stretch is left out. */
export function placeOf(axis, t) {
  const part = axis.find(([from, to]) => from <= t && t <= to);
  return part ? part[2] + ((t - part[0]) / (part[1] - part[0])) * (part[3] - part[2]) : null;
}

/** Time at a place on the drawing: of the nearest stretch, where it falls between two. */
export function timeOf(axis, x) {
  const away = ([, , start, end]) => Math.max(start - x, x - end, 0);
  const [from, to, start, end] = axis.reduce((best, part) => (away(part) < away(best) ? part : best));
  return from + Math.min(Math.max((x - start) / (end - start), 0), 1) * (to - from);
}

export function connectCurves(figures, stage) {
  for (const figure of figures) {
    const series = stage.playback.series[figure.dataset.series];
    if (series) new Curve(figure, figure.dataset.series, series, stage);
  }
}

class Curve {
  constructor(figure, name, series, stage) {
    Object.assign(this, { name, series, stage });
    this.svg = figure.querySelector("svg");
    this.handle = figure.querySelector("[role=slider]");
    this.output = figure.querySelector("output");
    const { top, bottom } = stage.playback.plot;
    this.line = document.createElementNS(SVG, "line");
    for (const [key, value] of Object.entries({ class: "cursor", y1: top - 6, y2: bottom })) this.line.setAttribute(key, value);
    this.line.setAttribute("visibility", "hidden");
    this.svg.append(this.line);
    this.handle.addEventListener("pointerdown", (event) => this.#follow(event));
    this.handle.addEventListener("pointermove", (event) => event.buttons && this.#follow(event));
    stage.addEventListener("frame", () => this.refresh());
    this.handle.setAttribute("aria-valuemin", 0);
    this.handle.setAttribute("aria-valuemax", stage.playback.duration.toFixed(2));
    this.refresh();
  }

  #follow(event) {
    if (event.button > 0) return;
    if (event.type === "pointerdown") this.handle.setPointerCapture(event.pointerId);
    const box = this.svg.getBoundingClientRect();
    this.stage.showTime(timeOf(this.series.axis, ((event.clientX - box.left) / box.width) * this.stage.playback.plot.width));
  }

  refresh() {
    const { time } = this.stage;
    const x = placeOf(this.series.axis, time);
    this.line.setAttribute("visibility", x === null ? "hidden" : "visible");
    if (x !== null) for (const end of ["x1", "x2"]) this.line.setAttribute(end, x.toFixed(2));
    const value = this.stage.playback.readingAt(this.name, time);
    const said = value === null ? "not read here" : `${value.toFixed(this.series.decimals).replace("-", "−")}${this.series.unit}`;
    this.output.textContent = x === null ? "" : said;
    this.handle.setAttribute("aria-valuenow", time.toFixed(2));
    this.handle.setAttribute("aria-valuetext", `${clock(time)}: ${said}`);
  }
}
