// From the fields of the form to what the API is told of a session and its video. What nobody said is left out, never made up.
// Belongs here: that translation.

const DAY_MS = 24 * 3600 * 1000;

/** {session, options} from the form. */
export function sessionOf(form, mode, title) {
  const value = (name) => form.querySelector(`[name=${name}]`)?.value || undefined;
  const session = { title, analysis_context: mode, camera_view: value("camera_view"), ...consentAndKeeping(form) };
  const slow = Number(value("slow_motion"));
  return { session, options: slow ? { slow_motion: slow } : {} };
}

/** What the form says of consent, keeping and faces; {} where it says nothing. */
export function consentAndKeeping(form) {
  const value = (name) => form.querySelector(`[name=${name}]`)?.value || undefined;
  const said = consentOf(value);
  const days = Number(value("keep_days"));
  if (days) said.retention_until = new Date(Date.now() + days * DAY_MS).toISOString();
  if (form.querySelector("[name=blur_faces]")?.checked) said.blur_faces = true;
  return said;
}

function consentOf(value) {
  const by = value("consent");
  if (!by) return {};
  const guardian = by === "guardian";
  const when = value("consent_on");
  return {
    consent_given: true,
    consent_by: value("consent_by"),
    consent_at: when ? new Date(`${when}T00:00:00`).toISOString() : undefined,
    consent_by_guardian: guardian,
    player_is_minor: guardian,
  };
}
