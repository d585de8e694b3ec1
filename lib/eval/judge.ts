/**
 * A language model as judge: it is asked for a score from 0 to 100 for each response, and every
 * reply is recorded.
 */
import { recordProvenance } from "../provenance.ts";
import { describeOutcomes, recordedOutcomes } from "./replay.ts";
import { formatAlpacaInstruction } from "../text/alpaca.ts";
import type { ResponseEntry } from "./responses.ts";
import type { JudgeFailure, JudgeOutcome } from "./outcome.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/**
 * The error if a judge gave no reply; the message says why and what to do.
 *
 * @example A judge that gives no reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeResponses } from "tunebook";
 * import { JudgeError } from "tunebook/eval";
 *
 * const judge = {
 *   name: "away",
 *   settings: {},
 *   ask: () => Promise.reject(new JudgeError("timeout", "The judge did not reply")),
 * };
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * const { failed, problems } = await judgeResponses(answered, judge);
 * assertEquals([failed, problems[0].message], [1, "The judge did not reply"]);
 * ```
 */
export class JudgeError extends Error {
  /** The name of the error class. */
  override readonly name = "JudgeError";
  /** The kind of failure. */
  readonly reason: JudgeFailure;

  /**
   * Makes an error.
   *
   * @param reason The kind of failure.
   * @param message What happened, and what to do.
   * @param options The cause of the error.
   */
  constructor(reason: JudgeFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Something that answers a prompt. */
export interface Judge {
  /** Its name, for example `"ollama:llama3"`. */
  readonly name: string;
  /** The settings that its replies depend on (seed, context length …), for provenance. */
  readonly settings: Readonly<Record<string, string | number>>;
  /**
   * Asks a question.
   *
   * @param prompt The prompt.
   * @param signal Stops the request.
   * @returns The reply, and whether it was cut at the allowed length.
   * @throws {JudgeError} If no reply came.
   */
  ask(prompt: string, signal?: AbortSignal): Promise<{ reply: string; cut: boolean }>;
}

/** A judge's scores of all responses. */
export interface JudgeReport {
  /** The judge's name. */
  judge: string;
  /** The number of responses: the sum of the next four. */
  examples: number;
  /** How many were scored. */
  scored: number;
  /** How many replies were not an integer from 0 to 100. */
  unparsable: number;
  /** How many requests got no reply. */
  failed: number;
  /** How many were not asked about because judging was stopped. */
  notAsked: number;
  /** The mean score; `null` if nothing was scored. */
  average: number | null;
  /**
   * The mean's standard error: two runs' means that differ by less than about twice this cannot be
   * ranked. `null` with fewer than two scores.
   */
  standardError: number | null;
  /** The different problems, most frequent first. */
  problems: { message: string; count: number }[];
  /** Each response's outcome, in order. */
  outcomes: JudgeOutcome[];
}

/** Options of {@linkcode judgeResponses}. */
export interface JudgeOptions {
  /** Stops judging; the results so far are reported. */
  signal?: AbortSignal;
  /** Called with each outcome and its index. */
  onOutcome?: (outcome: JudgeOutcome, index: number) => void;
}

/** The names of {@linkcode JudgeOptions}. */
export const JUDGE_OPTIONS: OptionNames<JudgeOptions> = { signal: true, onOutcome: true };

/** After this many consecutive failures of these kinds, the rest would fail too. */
const GIVE_UP_AFTER: Partial<Record<JudgeFailure, number>> = {
  "model-missing": 1,
  "unreachable": 3,
  "timeout": 3,
};

/**
 * Asks a judge about each response, one after another. Failures of the judge do not end the run:
 * invalid and missing replies are counted, and judging continues. If the judge is not reachable at
 * all, the rest count as failed without waiting for each.
 *
 * An empty response scores 0 without a request, as in Raschka's chapter 7. If the runtime provides
 * the outcomes of an earlier run (`TUNEBOOK_REPLAY`), the same questions are not asked again.
 *
 * @param entries Entries with a model's responses.
 * @param judge The judge.
 * @param options Stopping, and progress.
 * @returns The scores' mean, the counts, and each outcome.
 *
 * @example A judge of one's own
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeResponses } from "tunebook";
 *
 * const judge = {
 *   name: "always 50",
 *   settings: {},
 *   ask: () => Promise.resolve({ reply: "50", cut: false }),
 * };
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * const { average, scored } = await judgeResponses(answered, judge);
 * assertEquals([average, scored], [50, 1]);
 * ```
 */
export async function judgeResponses(
  entries: readonly ResponseEntry[],
  judge: Judge,
  options: JudgeOptions = {},
): Promise<JudgeReport> {
  assertKnownOptions("judge responses", options, JUDGE_OPTIONS);
  const { signal, onOutcome } = options;
  const outcomes: JudgeOutcome[] = [];
  const recorded = await recordedOutcomes(judge.name);
  let gone: JudgeOutcome | undefined; // the judge is not reachable, for this reason
  let failuresInARow = 0;
  for (const [index, entry] of entries.entries()) {
    let outcome: JudgeOutcome;
    const known = await recorded?.(judgePrompt(entry));
    if (signal?.aborted) outcome = { status: "not asked" };
    else if (known !== undefined) outcome = known;
    else if (gone && entry.model_response !== "") outcome = gone;
    else outcome = await judgeOne(entry, judge, signal);
    outcomes.push(outcome);
    onOutcome?.(outcome, index);
    failuresInARow = outcome.status === "failed" ? failuresInARow + 1 : 0;
    if (outcome.status === "failed") {
      const limit = GIVE_UP_AFTER[outcome.reason] ?? Infinity;
      if (failuresInARow >= limit) gone = outcome;
    }
  }
  const report = summarizeOutcomes(judge.name, outcomes);
  // the replies too, because a judge may answer differently next time
  const replies = outcomes.map((outcome) => "reply" in outcome ? outcome.reply : null);
  const replay = await describeOutcomes(entries.map(judgePrompt), outcomes);
  await recordProvenance("judge", { judge: judge.name, ...judge.settings, replies, replay });
  return report;
}

/**
 * The question about one response, word for word as in Raschka's chapter 7.
 *
 * @param entry The entry and the model's response.
 * @returns The prompt.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { judgePrompt } from "tunebook/eval";
 *
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * assertStringIncludes(judgePrompt(answered[0]), "score the model response `Red.`");
 * ```
 */
export function judgePrompt(entry: ResponseEntry): string {
  return `Given the input \`${formatAlpacaInstruction(entry)}\` ` +
    `and correct output \`${entry.output}\`, ` +
    `score the model response \`${entry.model_response}\` ` +
    "on a scale from 0 to 100, where 100 is the best score. " +
    "Respond with the integer number only.";
}

/**
 * Parses a score from a reply.
 *
 * @param reply The judge's reply.
 * @returns The reply as an integer from 0 to 100; `undefined` if it is anything else.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseScore } from "tunebook/eval";
 *
 * assertEquals([parseScore(" 85\n"), parseScore("85 of 100"), parseScore("101")], [85, undefined, undefined]);
 * ```
 */
export function parseScore(reply: string): number | undefined {
  const match = /^\s*(\d{1,3})\s*$/.exec(reply);
  const score = match ? Number(match[1]) : NaN;
  return score <= 100 ? score : undefined;
}

/**
 * Summarizes a report in one sentence.
 *
 * @param report The report.
 * @returns For example `"ollama:llama3: 50.32 ± 3.30 over 105 of 110 responses, 3 unparsable, 2 failed"`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeJudgement, judgeResponses } from "tunebook";
 *
 * const judge = {
 *   name: "always 50",
 *   settings: {},
 *   ask: () => Promise.resolve({ reply: "50", cut: false }),
 * };
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * const report = await judgeResponses(answered, judge);
 * assertEquals(describeJudgement(report), "always 50: 50.00 over 1 of 1 responses");
 * ```
 */
export function describeJudgement(report: JudgeReport): string {
  const { average, standardError, scored, examples } = report;
  const counts = (["unparsable", "failed", "notAsked"] as const)
    .filter((kind) => report[kind] > 0)
    .map((kind) => `, ${report[kind]} ${kind === "notAsked" ? "not asked" : kind}`);
  const mean = average === null
    ? "no score"
    : `${average.toFixed(2)}${standardError === null ? "" : ` ± ${standardError.toFixed(2)}`} over`;
  return `${report.judge}: ${mean} ${
    average === null ? "for any" : scored
  } of ${examples} responses` +
    counts.join("");
}

async function judgeOne(
  entry: ResponseEntry,
  judge: Judge,
  signal: AbortSignal | undefined,
): Promise<JudgeOutcome> {
  if (entry.model_response === "") return { status: "scored", score: 0, reply: "" };
  try {
    const { reply, cut } = await judge.ask(judgePrompt(entry), signal);
    const score = parseScore(reply);
    // in a truncated reply the number is complete only if something follows it
    if (score !== undefined && (!cut || /\s$/.test(reply))) {
      return { status: "scored", score, reply };
    }
    const message = cut
      ? "The judge's reply was cut before it was a number"
      : "The judge's reply is not an integer from 0 to 100";
    return { status: "unparsable", reply, message };
  } catch (error) {
    if (error instanceof JudgeError) {
      return { status: "failed", reason: error.reason, message: error.message };
    }
    if (signal?.aborted) return { status: "not asked" };
    throw error;
  }
}

function summarizeOutcomes(judge: string, outcomes: JudgeOutcome[]): JudgeReport {
  const scores = outcomes.flatMap((outcome) => outcome.status === "scored" ? outcome.score : []);
  const n = scores.length;
  const average = n > 0 ? scores.reduce((sum, score) => sum + score, 0) / n : null;
  const squares = scores.reduce((sum, score) => sum + (score - average!) ** 2, 0);
  const count = (status: JudgeOutcome["status"]) =>
    outcomes.filter((outcome) => outcome.status === status).length;
  const messages = outcomes.flatMap((outcome) => "message" in outcome ? outcome.message : []);
  return {
    judge,
    examples: outcomes.length,
    scored: n,
    unparsable: count("unparsable"),
    failed: count("failed"),
    notAsked: count("not asked"),
    average,
    standardError: n > 1 ? Math.sqrt(squares / (n - 1) / n) : null,
    problems: [...Map.groupBy(messages, (message) => message)]
      .map(([message, same]) => ({ message, count: same.length }))
      .sort((a, b) => b.count - a.count),
    outcomes,
  };
}
