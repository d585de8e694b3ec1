/** A judge that names the better of two answers. It is asked in both orders: many prefer what they read first. */
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import { recordProvenance } from "../../provenance.ts";
import { type Judge, JudgeError } from "../judge.ts";
import type { ResponseEntry } from "../responses.ts";
import { mcnemar } from "../significance.ts";
import { questionText, type ReplyForm } from "./question.ts";
import { withoutThinking } from "./read_reply.ts";

/** A question about two answers. */
export interface PairQuestion {
  /** Its name in reports. */
  readonly name: string;
  /** The form of the reply. */
  readonly form: ReplyForm;
  /**
   * The question.
   *
   * @param entry Question and reference.
   * @param first The answer that is called A.
   * @param second The answer that is called B.
   */
  prompt(entry: ResponseEntry, first: string, second: string): string;
}

/** Which answer is better, with the correct one beside them. */
export const PAIR_QUESTION: PairQuestion = {
  name: "pairwise",
  form: { schema: { type: "string", enum: ["A", "B", "tie"] }, maxTokens: 16 },
  prompt: (entry, first, second) =>
    `Given the input \`${
      questionText(entry)
    }\` and correct output \`${entry.output}\`, which response is better? ` +
    `Response A is \`${first}\`. Response B is \`${second}\`. Their order and length must not matter. ` +
    "Respond with A, B or tie only.",
};

/** What a judge said of one pair. */
export interface PairOutcome {
  /** The better one; a tie too where the two orders disagree; `null` if a reply was missing or could not be read. */
  readonly winner: "a" | "b" | "tied" | null;
  /** Whether both orders gave the same; `null` if a reply was missing. */
  readonly consistent: boolean | null;
  /** The replies in full: with a's answer first, then with b's. */
  readonly replies: readonly [string | null, string | null];
}

/** What a judge said of all pairs. */
export interface PairReport {
  /** The judge's name. */
  readonly judge: string;
  /** How often the one model was better. */
  readonly a: number;
  /** How often the other was. */
  readonly b: number;
  /** How often neither was, disagreements included. */
  readonly ties: number;
  /** How many pairs were not judged, since a reply was missing or could not be read. */
  readonly failed: number;
  /** The fraction of the judged pairs on which both orders agree; `null` if there are none. */
  readonly consistency: number | null;
  /** The p-value of the sign test of a's wins against b's. */
  readonly p: number;
  /** The better model where the p-value is at most 0.05. */
  readonly winner: "a" | "b" | "tied";
  /** Why replies are missing or could not be read, most frequent first. */
  readonly problems: readonly { readonly message: string; readonly count: number }[];
  /** Each pair's outcome, in order. */
  readonly outcomes: readonly PairOutcome[];
}

/** Options of {@linkcode judgePairs}. */
export interface PairOptions {
  /** What is asked. By default which response is better, A, B or a tie. */
  readonly question?: PairQuestion;
  /** Stops judging: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with each outcome and its index. */
  readonly onOutcome?: (outcome: PairOutcome, index: number) => void;
}

const NAMES: OptionNames<PairOptions> = { question: true, signal: true, onOutcome: true };

/**
 * Asks a judge which of two models' answers is better, each pair in both orders. Where the orders disagree, the pair is a tie.
 *
 * @param a Entries with the answers of one model.
 * @param b The same entries with those of the other.
 * @param judge The judge.
 * @param options The question, stopping, and progress.
 * @returns Wins, ties, and how consistent the judge is.
 * @throws {RangeError} If the numbers of entries differ, or there are none.
 *
 * @example A judge that always prefers the first
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgePairs } from "tunebook/eval";
 *
 * const judge = { name: "first", settings: {}, ask: () => Promise.resolve({ reply: "A", cut: false }) };
 * const answered = (model_response: string) => [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response },
 * ];
 * const { ties, consistency } = await judgePairs(answered("Red."), answered("Two."), judge);
 * assertEquals([ties, consistency], [1, 0]);
 * ```
 */
export async function judgePairs(
  a: readonly ResponseEntry[],
  b: readonly ResponseEntry[],
  judge: Judge,
  options: PairOptions = {},
): Promise<PairReport> {
  assertKnownOptions("judge pairs", options, NAMES);
  const { question = PAIR_QUESTION, signal, onOutcome } = options;
  if (a.length === 0 || a.length !== b.length) {
    throw new RangeError(
      `Cannot judge pairs of ${a.length} and ${b.length} responses: expected equal numbers, at least one`,
    );
  }
  const problems: string[] = [];
  const ask = async (entry: ResponseEntry, first: string, second: string) => {
    try {
      const prompt = question.prompt(entry, first, second);
      const { reply } = await judge.ask(prompt, signal, question.form);
      if (readChoice(reply) === undefined) {
        problems.push("The judge's reply names neither A nor B nor a tie, or several of them");
      }
      return reply;
    } catch (error) {
      if (!(error instanceof JudgeError)) throw error;
      problems.push(error.message);
      return null;
    }
  };
  const outcomes: PairOutcome[] = [];
  for (const [index, entry] of a.entries()) {
    const [one, other] = [entry.model_response, b[index].model_response];
    const replies = [await ask(entry, one, other), await ask(entry, other, one)] as const;
    const outcome = outcomeOf(replies);
    outcomes.push(outcome);
    onOutcome?.(outcome, index);
  }
  const count = (winner: PairOutcome["winner"]) =>
    outcomes.filter((outcome) => outcome.winner === winner).length;
  const judged = outcomes.filter(({ consistent }) => consistent !== null);
  const [wonA, wonB] = [count("a"), count("b")];
  const p = mcnemar(wonA, wonB);
  await recordProvenance("judge pairs", {
    judge: judge.name,
    ...judge.settings,
    question: question.name,
    replies: outcomes.map(({ replies }) => [...replies]),
  });
  return {
    judge: judge.name,
    a: wonA,
    b: wonB,
    ties: count("tied"),
    failed: count(null),
    consistency: judged.length === 0
      ? null
      : judged.filter(({ consistent }) => consistent).length / judged.length,
    p,
    winner: p > 0.05 ? "tied" : wonA > wonB ? "a" : "b",
    problems: [...Map.groupBy(problems, (message) => message)]
      .map(([message, same]) => ({ message, count: same.length }))
      .sort((a, b) => b.count - a.count),
    outcomes,
  };
}

/**
 * Names the better model.
 *
 * @param report What a judge said of all pairs.
 * @param names The models' names.
 * @returns Such as `"tuned is better"`.
 */
export function pairVerdict(
  { winner, failed, outcomes }: PairReport,
  [a, b]: readonly [a: string, b: string],
): string {
  if (failed === outcomes.length) return "no verdict on any pair";
  return winner === "tied" ? "tied" : `${winner === "a" ? a : b} is better`;
}

function outcomeOf(replies: readonly [string | null, string | null]): PairOutcome {
  const [first, second] = replies.map((reply) => reply === null ? undefined : readChoice(reply));
  if (first === undefined || second === undefined) {
    return { winner: null, consistent: null, replies };
  }
  // In the second order, A is b's answer.
  const turned = second === "A" ? "B" : second === "B" ? "A" : second;
  const consistent = first === turned;
  const winner = !consistent || first === "tie" ? "tied" : first === "A" ? "a" : "b";
  return { winner, consistent, replies };
}

/**
 * Finds the choice in a reply: `A`, `[[B]]`, `**A**`, `Response A is better.`, `"tie"`, after thinking aloud or not.
 *
 * @param reply The reply.
 * @returns The choice; undefined where there is none, or more than one.
 */
export function readChoice(reply: string): "A" | "B" | "tie" | undefined {
  const text = withoutThinking(reply).replace(/[*_`"']+/g, "").trim();
  const places = [
    /\[\[(A|B|C|tie)\]\]/gi,
    /^\W*(?:(?:response|assistant|answer|verdict:?|winner:?)\s+)?(A|B|C|tie)\W*$/gi,
    /\b(?:response|assistant|answer)\s+(A|B)\s+is\s+(?:the\s+)?(?:clearly\s+|much\s+|slightly\s+)?better/gi,
    /\b(?:verdict|winner|choice|better)(?:\s+is|:)\s*(?:response\s+|assistant\s+)?(A|B|C|tie)\b/gi,
  ];
  for (const place of places) {
    const found = new Set([...text.matchAll(place)].map((match) => match[1].toUpperCase()));
    if (found.size === 0) continue;
    if (found.size > 1) return undefined;
    const [choice] = found;
    return choice === "A" || choice === "B" ? choice : "tie";
  }
  return undefined;
}
