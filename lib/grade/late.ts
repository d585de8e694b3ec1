/**
 * How late a submission is and what that costs, computed as nbgrader does.
 *
 * @module
 */

/**
 * The time after the due date and its extension.
 *
 * @param submitted When it was handed in; undefined if unknown, which is never late.
 * @param due When it was due; undefined if never.
 * @param extension Milliseconds more for this student.
 * @returns Seconds, at least 0.
 */
export function secondsLate(
  submitted: Date | undefined,
  due: Date | undefined,
  extension = 0,
): number {
  if (submitted === undefined || due === undefined) return 0;
  return Math.max(0, (submitted.getTime() - (due.getTime() + extension)) / 1000);
}

/**
 * Holds a penalty between 0 and the score.
 *
 * @param penalty What the course's policy says.
 * @param score The score that it is taken from.
 * @returns The penalty that counts.
 */
export function clampPenalty(penalty: number, score: number): number {
  return Math.min(Math.max(0, penalty), Math.max(0, score));
}
