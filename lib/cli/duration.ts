// Durations in words.

/**
 * Says about how long something takes.
 *
 * @param seconds The duration.
 * @returns Such as `34 s`, `12 min` or `3.5 h`.
 */
export function describeDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
