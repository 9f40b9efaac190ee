// One session: saying anew what is known of consent and keeping, and deleting it for good.
// Belongs here: that form and that button.

import "./page.js";
import { API, ask } from "./server.js";
import { consentAndKeeping } from "./session-fields.js";

const button = document.querySelector("[data-delete]");
const problem = document.querySelector("[data-part=problem]");

button.addEventListener("click", async () => {
  button.disabled = true;
  problem.hidden = true;
  try {
    await ask("DELETE", `${API}/sessions/${button.dataset.delete}`);
    location.assign("/");
  } catch (error) {
    button.disabled = false;
    problem.textContent = error.message;
    problem.hidden = false;
  }
});

const form = document.querySelector("[data-session]");
const changeProblem = document.querySelector("[data-part=change-problem]");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  changeProblem.hidden = true;
  try {
    await ask("PATCH", `${API}/sessions/${form.dataset.session}`, consentAndKeeping(form));
    location.reload();
  } catch (error) {
    changeProblem.textContent = error.message;
    changeProblem.hidden = false;
  }
});
