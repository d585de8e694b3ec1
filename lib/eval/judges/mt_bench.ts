/**
 * Questions in the manner of MT-Bench (Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023): a judge
 * that explains first and then rates from 1 to 10, or names the better of two answers; for maths, reasoning and code it is
 * shown the correct answer. The wording is our own, so scores are not comparable with published ones.
 *
 * @module
 */
import type { ResponseEntry } from "../responses.ts";
import type { PairQuestion } from "./pairwise.ts";
import { type JudgeQuestion, questionText } from "./question.ts";

/** The categories for which the judge sees the correct answer. */
const WITH_REFERENCE: readonly string[] = ["math", "maths", "mathematics", "reasoning", "coding"];

/**
 * The temperatures at which MT-Bench has models answer, by category. Judges have temperature 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MT_BENCH_TEMPERATURES } from "tunebook/eval";
 *
 * assertEquals([MT_BENCH_TEMPERATURES.writing, MT_BENCH_TEMPERATURES.math], [0.7, 0]);
 * ```
 */
export const MT_BENCH_TEMPERATURES: Readonly<Record<string, number>> = {
  writing: 0.7,
  roleplay: 0.7,
  extraction: 0,
  math: 0,
  coding: 0,
  reasoning: 0,
  stem: 0.1,
  humanities: 0.1,
};

/** An explanation, and then the verdict. */
const EXPLAINED = { maxTokens: 1024 };

function referenceText(entry: ResponseEntry): string {
  const { category } = entry as { category?: unknown };
  const shown = typeof category === "string" && WITH_REFERENCE.includes(category.toLowerCase());
  return shown ? `[Correct answer]\n${entry.output}\n\n` : "";
}

/** One answer, rated from 1 to 10; for {@linkcode judgeResponses}. */
export const MT_BENCH_SINGLE: JudgeQuestion = {
  name: "mt-bench",
  scale: { least: 1, most: 10 },
  form: EXPLAINED,
  prompt: (entry) =>
    "Rate an AI assistant's answer to the user as an impartial judge. Look at its helpfulness, relevance, accuracy, depth, " +
    "creativity and level of detail. If the correct answer is given, compare with it first and name mistakes. Explain your " +
    "judgement briefly. Then give a rating from 1 to 10 exactly in this form: Rating: [[5]]\n\n" +
    `[Conversation]\n${questionText(entry)}\n\n${referenceText(entry)}` +
    `[The assistant's answer]\n${entry.model_response}`,
};

/** Two answers, of which one is better or neither; for {@linkcode judgePairs}. */
export const MT_BENCH_PAIR: PairQuestion = {
  name: "mt-bench pairwise",
  form: EXPLAINED,
  prompt: (entry, first, second) =>
    "Compare two AI assistants' answers to the user as an impartial judge. Look at helpfulness, relevance, accuracy, depth, " +
    "creativity and level of detail. The order and the length of the answers must not matter. If the correct answer is " +
    "given, compare both with it first. Explain your judgement briefly. Then write exactly [[A]] if assistant A is better, " +
    "[[B]] if assistant B is better, or [[C]] for a tie.\n\n" +
    `[Conversation]\n${questionText(entry)}\n\n${referenceText(entry)}` +
    `[Assistant A]\n${first}\n\n[Assistant B]\n${second}`,
};
