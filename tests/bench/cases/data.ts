/** The instruction data that is trained on and answered: the outside one for measuring, or the embedded one. */

import { fromFileUrl } from "@std/path";
import type { InstructionEntry } from "../../../lib/dataset/entry.ts";
import { type EncodedExample, encodeExamples } from "../../../lib/dataset/encode.ts";
import { loadEntries } from "../../../lib/dataset/load.ts";
import { splitEntries } from "../../../lib/dataset/split.ts";
import type { Tokenizer } from "../../../lib/text/tokenizer.ts";
import { findTestData } from "../../support.ts";

/** All entries. */
export async function trainingEntries(): Promise<InstructionEntry[]> {
  const outside = findTestData();
  return await loadEntries(
    outside.found
      ? `${outside.path}/instruction-data.json`
      : fromFileUrl(import.meta.resolve("../../../data/instructions/instruction-data.json")),
  ) as InstructionEntry[];
}

/** The training and test parts as tokens. */
export async function encodedParts(
  tokenizer: Tokenizer,
): Promise<{ train: EncodedExample[]; test: EncodedExample[] }> {
  const { train, test } = splitEntries(await trainingEntries(), { order: "given" });
  return { train: encodeExamples(train, tokenizer), test: encodeExamples(test, tokenizer) };
}

/** Examples without what all prompts begin with. */
export function withoutSharedBeginning(examples: readonly EncodedExample[]): EncodedExample[] {
  const [first, ...others] = examples.map(({ promptIds }) => promptIds);
  const differs = first.findIndex((id, i) => others.some((ids) => ids[i] !== id));
  const shared = Math.max(0, differs);
  return examples.map((example) => ({
    ...example,
    promptIds: example.promptIds.slice(shared),
    instructionLength: Math.max(0, example.instructionLength - shared),
  }));
}
