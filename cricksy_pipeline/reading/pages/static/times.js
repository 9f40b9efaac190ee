// Times as people write them, and looking things up in sorted lists of times.
// Belongs here: arithmetic on seconds. Does not belong here: the page.

/** Seconds as m:ss.ss, rounded to the nearest hundredth, as the report writes them. */
export function clock(seconds) {
  const hundredths = Math.round(Math.max(seconds, 0) * 100);
  const rest = hundredths % 6000;
  const two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(hundredths / 6000)}:${two(Math.floor(rest / 100))}.${two(rest % 100)}`;
}

/** Index of the last of the increasing `times` that is not after `t`; -1 before the first. */
export function lastUpTo(times, t) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the nearest of the increasing `times`; -1 where there is none. */
export function nearest(times, t) {
  if (!times.length) return -1;
  const i = Math.max(0, lastUpTo(times, t));
  return i + 1 < times.length && times[i + 1] - t < t - times[i] ? i + 1 : i;
}
