// The playback document, unpacked: frame times, the player's body over time, events, curves.
// Belongs here: decoding and looking up. Does not belong here: drawing (drawing.js), the video (stage.js).

import { API } from "./server.js";
import { lastUpTo, nearest } from "./times.js";

const SAME_FRAME_S = 0.0005;

function unpackTimes({ first, steps, count }) {
  const times = new Float64Array(count);
  let at = first;
  for (let i = 0; i < count; i += 1) {
    if (i) at += steps[i - 1];
    times[i] = at / 1e6;
  }
  return times;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function littleEndian16(base64) {
  const raw = new DataView(bytes(base64).buffer);
  const values = new Int16Array(raw.byteLength / 2);
  for (let i = 0; i < values.length; i += 1) values[i] = raw.getInt16(2 * i, true);
  return values;
}

export class Playback {
  constructor(read) {
    this.width = read.width;
    this.height = read.height;
    this.look = read.look;
    this.plot = read.plot;
    this.deliveries = read.deliveries;
    this.frames = unpackTimes(read.frames_us);
    this.points = read.pose.points.length;
    this.poseTimes = unpackTimes(read.pose.t_us);
    this.linked = read.pose.linked;
    this.unit = read.pose.unit_px;
    this.missing = read.pose.missing;
    this.places = littleEndian16(read.pose.xy);
    this.seen = bytes(read.pose.visibility);
    this.series = {};
    for (const [name, each] of Object.entries(read.series)) this.series[name] = { ...each, times: unpackTimes(each.t_us) };
    this.events = this.deliveries.flatMap((ball) => ball.events.map((event) => ({ ...event, delivery: ball.delivery })));
    this.events.sort((a, b) => a.t_s - b.t_s);
  }

  get duration() {
    return this.frames.length ? this.frames[this.frames.length - 1] : 0;
  }

  /** The frame shown at `t` seconds: the nearest by presentation time. */
  frameAt(t) {
    return nearest(this.frames, t);
  }

  /** The body at `t`: {xy: Float32Array of pixels, seen: 0..255 each}, or null where he was not looked for nearby, or not found. */
  bodyAt(t) {
    const i = lastUpTo(this.poseTimes, t + SAME_FRAME_S);
    if (i < 0) return null;
    const since = t - this.poseTimes[i];
    if (since <= SAME_FRAME_S) return this.#body(i, i, 0);
    if (this.linked[i] !== "1") return null;
    return this.#body(i, i + 1, since / (this.poseTimes[i + 1] - this.poseTimes[i]));
  }

  #body(i, j, share) {
    const xy = new Float32Array(2 * this.points), seen = new Uint8Array(this.points);
    const a = i * this.points, b = j * this.points;
    if (this.places[2 * a] === this.missing || this.places[2 * b] === this.missing) return null;
    for (let k = 0; k < this.points; k += 1) {
      for (let axis = 0; axis < 2; axis += 1) {
        const from = this.places[2 * (a + k) + axis], to = this.places[2 * (b + k) + axis];
        xy[2 * k + axis] = (from + share * (to - from)) * this.unit;
      }
      // Between two frames a joint is as sure as in the worse of them.
      seen[k] = Math.min(this.seen[a + k], this.seen[b + k]);
    }
    return { xy, seen };
  }

  /** The events that may be happening at `t`: within their own 95 % interval, at least one frame wide. */
  eventsAt(t) {
    const frame = this.frameAt(t);
    return this.events.filter((event) => Math.abs(event.t_s - t) <= event.half95_s || this.frameAt(event.t_s) === frame);
  }

  /** The ball that is being played at `t`, or null. */
  deliveryAt(t) {
    return this.deliveries.find((ball) => ball.start_s <= t && t <= ball.end_s) || null;
  }

  /** The reading of a curve at `t`: the nearest one within half a step of the coarse grid; null where nothing was read. */
  readingAt(name, t) {
    const { times, value } = this.series[name];
    const i = nearest(times, t);
    return i >= 0 && Math.abs(times[i] - t) <= 0.05 ? value[i] : null;
  }
}

export async function loadPlayback(jobId) {
  const answer = await fetch(`${API}/analysis-jobs/${jobId}/playback`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`playback: ${answer.status}`);
  return new Playback(await answer.json());
}
