/**
 * Judges' replies of an earlier run, from its manifest: verifying a report does not need the judge,
 * which might also answer differently.
 *
 * @module
 */

import type { JudgeOutcome } from "./outcome.ts";

/** An outcome in a manifest, with the question's hash instead of the question. */
interface Recorded {
  question: string;
  outcome: JudgeOutcome;
}

/**
 * Describes outcomes for the manifest.
 *
 * @param questions The questions, in the outcomes' order.
 * @param outcomes The outcomes.
 * @returns A JSON value for each question that was asked.
 */
export async function describeOutcomes(
  questions: readonly string[],
  outcomes: readonly JudgeOutcome[],
): Promise<Record<string, unknown>[]> {
  const described = outcomes.map(async (outcome, i) => ({
    question: await hashOf(questions[i]),
    outcome: { ...outcome } as Record<string, unknown>,
  }));
  return (await Promise.all(described)).filter(({ outcome }) => outcome.status !== "not asked");
}

/**
 * Looks up the outcomes of an earlier run, in the file that `TUNEBOOK_REPLAY` names.
 *
 * @param judge The judge's name.
 * @returns A function that returns the earlier outcome of a question, if it was asked; undefined if
 * there is no such file.
 */
export async function recordedOutcomes(
  judge: string,
): Promise<((question: string) => Promise<JudgeOutcome | undefined>) | undefined> {
  let file: string | undefined;
  try {
    file = Deno.env.get("TUNEBOOK_REPLAY");
  } catch {
    return undefined; // without permission to read the environment there is nothing to replay
  }
  if (!file) return undefined;
  const known = new Map<string, JudgeOutcome>();
  const records: { judge?: unknown; replay?: unknown }[] = JSON.parse(
    await Deno.readTextFile(file),
  );
  for (const record of records) {
    if (record.judge !== judge || !Array.isArray(record.replay)) continue;
    for (const { question, outcome } of record.replay as Recorded[]) known.set(question, outcome);
  }
  return async (question) => known.get(await hashOf(question));
}

/**
 * Hashes a text.
 *
 * @param text The text.
 * @returns The first 64 bits of its SHA-256, in hex.
 */
export async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 8).toHex();
}
