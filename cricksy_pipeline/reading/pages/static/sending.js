// A file on its way to the store, in parts: progress, patience with bad networks, pausing.
// Belongs here: from an upload's description (as the API gives it) to all parts being there. Does not belong here: the form (upload.js).

import { API, ask, Refused } from "./server.js";

const AT_ONCE = 3;
const TRIES = 5;
const FIRST_WAIT_MS = 1000;

export class Sending {
  /** `upload`: {id, parts: [{number, offset, size, url, received}], headers}; `onProgress(sentBytes)`. */
  constructor(file, upload, onProgress) {
    this.file = file;
    this.upload = upload;
    this.onProgress = onProgress;
    this.stopped = new AbortController();
    this.sent = new Map(upload.parts.map((part) => [part.number, part.received ? part.size : 0]));
  }

  /** Sends what is missing. Throws `Refused`, or an AbortError after `pause()`. */
  async send() {
    const missing = this.upload.parts.filter((part) => !part.received);
    const worker = async () => {
      for (let part = missing.shift(); part; part = missing.shift()) await this.#sendPart(part);
    };
    this.#report();
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    } catch (error) {
      this.stopped.abort();
      throw error;
    }
  }

  pause() {
    this.stopped.abort();
  }

  async #sendPart(part) {
    let url = part.url;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#put(url, part);
        part.received = true;
        return;
      } catch (error) {
        this.sent.set(part.number, 0);
        if (error.name === "AbortError" || attempt === TRIES) throw error;
        await this.#wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
        // An address holds for a while only: after a long pause a new one is needed, and the part may have arrived after all.
        const fresh = (await ask("GET", `${API}/videos/upload/${this.upload.id}`)).parts.find((each) => each.number === part.number);
        if (fresh.received) {
          part.received = true;
          this.sent.set(part.number, part.size);
          return this.#report();
        }
        url = fresh.url;
      }
    }
  }

  #put(url, part) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const abort = () => request.abort();
      request.open("PUT", url);
      for (const [name, value] of Object.entries(this.upload.headers || {})) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => {
        this.sent.set(part.number, Math.min(event.loaded, part.size));
        this.#report();
      });
      request.addEventListener("load", () => {
        this.stopped.signal.removeEventListener("abort", abort);
        if (request.status >= 200 && request.status < 300) {
          this.sent.set(part.number, part.size);
          this.#report();
          resolve();
        } else reject(new Refused(request.status, { detail: `The store answered ${request.status}.` }));
      });
      request.addEventListener("error", () => reject(new Refused(0, { detail: "The connection was lost." })));
      request.addEventListener("abort", () => reject(new DOMException("paused", "AbortError")));
      if (this.stopped.signal.aborted) return reject(new DOMException("paused", "AbortError"));
      this.stopped.signal.addEventListener("abort", abort, { once: true });
      request.send(this.file.slice(part.offset, part.offset + part.size));
    });
  }

  #wait(milliseconds) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds);
      this.stopped.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(new DOMException("paused", "AbortError"));
      });
    });
  }

  #report() {
    let bytes = 0;
    for (const sent of this.sent.values()) bytes += sent;
    this.onProgress(bytes);
  }
}
