/** Scores by name. */
export type Scores = Record<string, number>;

/** The mean of all scores. */
export function mean(scores: Scores): number {
  const values = Object.values(scores);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
