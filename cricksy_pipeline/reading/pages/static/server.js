// Asking the API: one fetch that turns every failure into words for a person.
// Belongs here: requests and their errors. Does not belong here: what is done with an answer.

export const API = "/api/coaches/plus";

export class Refused extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.code = body.code || null;
    this.retryable = Boolean(body.retryable) || status === 0 || status === 429 || status >= 500;
  }
}

/** JSON of an answer. Throws `Refused`, with the problem's own words, for anything but success. */
export async function ask(method, path, body, signal) {
  const options = { method, signal, headers: { Accept: "application/json" }, credentials: "same-origin" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { detail: "The server cannot be reached. Check the connection." });
  }
  if (answer.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
    throw new Refused(401, { detail: "Sign in again." });
  }
  const isJson = (answer.headers.get("content-type") || "").includes("json");
  const read = isJson ? await answer.json() : {};
  if (!answer.ok) throw new Refused(answer.status, read);
  return read;
}
