// What every page has: signing out. Wired once, also for what is put into the page later.
// Belongs here: the bar at the top. Does not belong here: anything of one page.

import { ask } from "./server.js";

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-sign-out]")) return;
  await ask("POST", "/sign-out");
  location.assign("/sign-in");
});
