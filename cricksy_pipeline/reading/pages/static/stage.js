// The video with the player's body over it: playing, slow motion, and steps from frame to frame by presentation time.
// Belongs here: the <video>, its canvas, and which frame is shown. Does not belong here: buttons (controls.js), curves (curves.js).
//
// Time is the presentation timestamp of the frame on the screen (requestVideoFrameCallback), never the wish `currentTime`. The browser's
// clock may begin elsewhere than ours, which is zero at the first shown frame: `origin` is the media time of that frame, learned from the
// frame that the browser shows before anybody has asked for another.

import { drawBody, drawLabels } from "./drawing.js";

const ASK_AFTER_MS = 150;
const LEARN_WITHIN_MS = 4000;

export class Stage extends EventTarget {
  /** `video` and `canvas` lie over each other; `playback` as in playback.js. */
  constructor(video, canvas, playback) {
    super();
    this.video = video;
    this.canvas = canvas;
    this.playback = playback;
    this.time = 0;
    this.frame = 0;
    this.origin = null;
    this.drawn = true;
    this.wanted = null;
    this.exact = "requestVideoFrameCallback" in video;
    this.#learnOrigin();
    video.addEventListener("seeked", () => this.#afterSeek());
    for (const name of ["play", "pause", "ended", "ratechange"]) video.addEventListener(name, () => this.#tell("state"));
    if (!this.exact) {
      video.addEventListener("timeupdate", () => this.#shown(video.currentTime));
    }
    new ResizeObserver(() => this.draw()).observe(video);
  }

  get ready() {
    return this.origin !== null;
  }

  #learnOrigin() {
    const learn = (mediaTime) => {
      if (this.origin !== null) return;
      this.origin = mediaTime;
      this.#shown(mediaTime);
      this.#tell("ready");
      if (this.wanted !== null) this.#go();
    };
    if (this.exact) {
      const each = (_, { mediaTime }) => {
        if (this.origin === null) learn(mediaTime);
        else this.#shown(mediaTime);
        this.video.requestVideoFrameCallback(each);
      };
      this.video.requestVideoFrameCallback(each);
    }
    // Where the first frame was on the screen before we were there, or is not shown unasked (data saving), it is asked for.
    const late = () => {
      if (this.exact) setTimeout(() => this.origin === null && (this.video.currentTime = 0), ASK_AFTER_MS);
      setTimeout(() => learn(this.video.currentTime), this.exact ? LEARN_WITHIN_MS : 0);
    };
    if (this.video.readyState >= 2) late();
    else this.video.addEventListener("loadeddata", late, { once: true });
  }

  #shown(mediaTime) {
    this.#showing(this.playback.frameAt(mediaTime - this.origin));
  }

  #showing(frame) {
    this.frame = Math.max(frame, 0);
    this.time = this.playback.frames[this.frame] ?? 0;
    this.draw();
    this.#tell("frame");
  }

  #tell(name) {
    this.dispatchEvent(new Event(name));
  }

  // ------------------------------------------------------------------------------------------------------------- going there

  /** Show the frame of this number, soon: of many wishes while the video seeks, the last is granted. */
  showFrame(number) {
    this.video.pause();
    this.wanted = Math.min(Math.max(number, 0), this.playback.frames.length - 1);
    this.#go();
  }

  /** Show the frame nearest to `t` seconds. */
  showTime(t) {
    this.showFrame(this.playback.frameAt(t));
  }

  /** So many frames on (or back), counted from where the last wish ends. */
  step(frames) {
    this.showFrame((this.wanted ?? this.frame) + frames);
  }

  /** The next moment with a name, or the one before. */
  stepEvent(direction) {
    const here = this.playback.frames[this.wanted ?? this.frame];
    const events = this.playback.events.filter((event) => {
      const apart = this.playback.frameAt(event.t_s) - this.playback.frameAt(here);
      return direction * apart > 0;
    });
    const event = direction > 0 ? events[0] : events[events.length - 1];
    if (event) this.showTime(event.t_s);
    return event || null;
  }

  #go() {
    if (!this.ready || this.video.seeking || this.wanted === null) return;
    // The middle of the frame's time on screen: neither rounding nor a clock a little off shows its neighbour.
    const { frames } = this.playback;
    const from = frames[this.wanted];
    const until = this.wanted + 1 < frames.length ? frames[this.wanted + 1] : from + 0.002;
    this.going = this.wanted;
    this.video.currentTime = this.origin + (from + until) / 2;
  }

  #afterSeek() {
    if (this.wanted === null) return;
    if (this.wanted !== this.going) return this.#go();
    const reached = this.wanted;
    this.wanted = null;
    // The picture comes a moment later, and says itself which it is; until then a further step counts from here.
    this.#showing(reached);
  }

  toggle() {
    if (!this.video.paused) return this.video.pause();
    if (this.video.ended) this.video.currentTime = 0;
    return this.video.play().catch(() => {});
  }

  setRate(rate) {
    this.video.playbackRate = rate;
  }

  setDrawn(drawn) {
    this.drawn = drawn;
    this.draw();
  }

  // ----------------------------------------------------------------------------------------------------------------- drawing

  /** Where the picture lies on the canvas, in canvas pixels: a tall one has bars at its sides. */
  get picture() {
    const { width, height } = this.playback;
    const scale = Math.min(this.canvas.width / width, this.canvas.height / height);
    return { scale, left: (this.canvas.width - scale * width) / 2, top: (this.canvas.height - scale * height) / 2 };
  }

  /** What lies over the frame that is shown. */
  draw() {
    const box = this.video.getBoundingClientRect();
    const width = Math.round(box.width * devicePixelRatio), height = Math.round(box.height * devicePixelRatio);
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    this.body = this.ready ? this.playback.bodyAt(this.time) : null;
    if (!this.drawn || !this.ready) return;
    const { look, deliveries } = this.playback;
    const { scale, left, top } = this.picture;
    context.setTransform(1, 0, 0, 1, left, top);
    if (this.body) drawBody(context, this.body, look, scale);
    const ball = this.playback.deliveryAt(this.time);
    const labels = this.playback.eventsAt(this.time).map((event) => `${event.label} ±${event.half95_s.toFixed(2)} s`);
    drawLabels(context, labels, ball && `Ball ${ball.delivery} of ${deliveries.length}`, look, scale * this.playback.height);
  }
}
