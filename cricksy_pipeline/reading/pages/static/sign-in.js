// The token goes to the server once, in the body of a request, and comes back as a cookie that no script can read.
// Belongs here: that one form.

const form = document.querySelector("form");
const problem = document.getElementById("token-problem");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = form.token.value.trim();
  if (!token) return tell("Paste the token first.");
  let answer;
  try {
    answer = await fetch("/sign-in", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "same-origin",
      body: JSON.stringify({ token }),
    });
  } catch {
    return tell("The server cannot be reached. Check the connection.");
  }
  if (answer.ok) return location.assign(form.dataset.next);
  const read = await answer.json().catch(() => ({}));
  tell(read.detail || "This token was not accepted.");
});

function tell(text) {
  problem.textContent = text;
  problem.hidden = false;
  form.token.setAttribute("aria-invalid", "true");
  form.token.focus();
}
