// What this browser remembers of an upload that is under way, so that a reload or an empty battery costs nothing.
// Belongs here: that one note. It holds no token and no address, only which upload and which file.

const NOTE = "cricksy-upload";

export function remember(upload, file) {
  const note = { id: upload.id, name: file.name, size: file.size, modified: file.lastModified };
  try {
    localStorage.setItem(NOTE, JSON.stringify(note));
  } catch {
    // A private window keeps nothing: then a reload begins anew.
  }
}

export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(NOTE));
  } catch {
    return null;
  }
}

export function forget() {
  try {
    localStorage.removeItem(NOTE);
  } catch {
    // As above.
  }
}

/** Whether this is the very file of the note. */
export function isSame(note, file) {
  return note && note.name === file.name && note.size === file.size && note.modified === file.lastModified;
}
