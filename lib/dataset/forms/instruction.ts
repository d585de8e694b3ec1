/**
 * Instructions: Alpaca's form and Dolly's, which have other names for the same.
 *
 * @module
 */

import type { ChatMessage } from "../../text/chat_template.ts";
import type { DatasetEntry } from "../chat_entry.ts";
import { Fault, type Form, readLearnt, readList, readText, readWeight, type Row } from "./form.ts";

/** What both forms have in common. */
const SHARED = {
  system: "a system message before it: the entry becomes a conversation",
  history:
    "earlier rounds before it, pairs of question and answer, which are learnt too: the entry becomes a conversation",
  weight: "the weight of the entry's tokens in losses, above 0",
};

/** Alpaca's form. */
export const alpaca: Form = {
  name: "alpaca",
  title: "Alpaca",
  fields: {
    instruction: "the instruction",
    input: "its input; empty if it is null or missing",
    context: "its input, where there is no `input`",
    output: "the response that is learnt; null is an empty one",
    ...SHARED,
  },
  example: { instruction: "Give the plural.", input: "mouse", output: "mice" },
  recognises: (has) => ["instruction", "output", "input"].some(has),
  read: (row) => readInstruction(row, "output"),
};

/** Dolly's form. */
export const dolly: Form = {
  name: "dolly",
  title: "Dolly",
  fields: {
    instruction: "the instruction",
    context: "its input; empty if it is null or missing",
    input: "its input, where there is no `context`",
    response: "the response that is learnt; null is an empty one",
    ...SHARED,
  },
  example: {
    instruction: "Who wrote the letter?",
    context: "The letter was written by Ann.",
    response: "Ann.",
    category: "closed_qa",
  },
  recognises: (has, isThere) => has("instruction") && isThere("response") && !isThere("output"),
  read: (row) => readInstruction(row, "response"),
};

function readInstruction(row: Row, answer: "output" | "response"): DatasetEntry {
  const instruction = readLearnt(row, "instruction");
  const input = readInput(row);
  const output = readLearnt(row, answer);
  const weight = readWeight(row);
  const before = [...readSystem(row), ...readHistory(row)];
  if (before.length === 0) return { instruction, input, output, ...weight };
  const asked = { role: "user", content: input ? `${instruction}\n\n${input}` : instruction };
  return { messages: [...before, asked, { role: "assistant", content: output }], ...weight };
}

function readInput(row: Row): string {
  const [input, context] = [readText(row, "input", ""), readText(row, "context", "")];
  if (input && context) throw new Fault("context", 'empty beside an "input"', row.context);
  return input || context;
}

/**
 * Reads the field with a system message.
 *
 * @param row The entry.
 * @returns The message, or none.
 */
export function readSystem(row: Row): ChatMessage[] {
  const content = readText(row, "system", "");
  return content === "" ? [] : [{ role: "system", content }];
}

function readHistory(row: Row): ChatMessage[] {
  return (readList(row, "history") ?? []).flatMap((pair, i) => {
    const isPair = Array.isArray(pair) && pair.length === 2 &&
      pair.every((text) => typeof text === "string");
    if (!isPair) throw new Fault(`history.${i}`, "a pair of strings, question and answer", pair);
    return [{ role: "user", content: pair[0] }, { role: "assistant", content: pair[1] }];
  });
}
