import type { Quality, Submission } from "./submission.ts";

const types = `interface Sequence {
  ids: number[];
  promptLength: number;
}
`;

const good = {
  encode: `${types}
const encodePair = (prompt: string, response: string): Sequence => {
  const start = tokenizer.encode(prompt);
  return { ids: start.concat(tokenizer.encode(response), tokenizer.eosId), promptLength: start.length };
};`,
  shift: `const inputsAndTargets = (ids: number[]) => ({
  inputs: ids.slice(0, ids.length - 1),
  targets: ids.slice(1),
});`,
  mask: `function maskPrompt(targets: number[], promptLength: number) {
  const masked = [...targets];
  masked.fill(IGNORE_INDEX, 0, promptLength - 1);
  return masked;
}`,
  collate: `function collateRows(sequences: Sequence[], padId: number) {
  let length = 0;
  for (const { ids } of sequences) length = Math.max(length, ids.length - 1);
  const inputs: number[][] = [];
  const targets: number[][] = [];
  for (const { ids, promptLength } of sequences) {
    const row = inputsAndTargets(ids);
    const masked = maskPrompt(row.targets, promptLength);
    while (row.inputs.length < length) row.inputs.push(padId);
    while (masked.length < length) masked.push(IGNORE_INDEX);
    inputs.push(row.inputs);
    targets.push(masked);
  }
  return { inputs, targets };
}`,
  attend: `function attentionMask(length: number, size: number) {
  const mask: boolean[][] = [];
  for (let i = 0; i < size; i++) {
    mask.push(Array.from({ length: size }, (_, j) => i === j || (j < length && j < i)));
  }
  return mask;
}`,
  closing:
    "The end token of the answer has the same id, so it is masked as well and the model never learns " +
    "to stop; it writes until the limit. I would mask by position: what collate added is padding.",
  prompt:
    "With very short answers, such as labels, I would count the prompt, as there is hardly any " +
    "other text to learn the domain from. With one fixed template I would not: the same preamble " +
    "would take most of the loss, and the model never has to write it.",
};

/** Three submissions of the assignment "tokens-and-masks". */
export const submissions: Readonly<Record<Quality, Submission>> = {
  good: { answers: good, losses: {} },
  // Off by one in the prompt's mask, and so in the batch's targets; padding may see nothing.
  fair: {
    answers: {
      ...good,
      mask: good.mask.replace("promptLength - 1", "promptLength"),
      attend: good.attend.replace("i === j || (j < length && j < i)", "j < length && j <= i"),
      closing: "The model would not learn the end token.",
    },
    losses: { "mask-test": 0, "collate-test": 1, "attend-test": 0 },
  },
  // Two answers, one of them without the end token.
  poor: {
    answers: {
      encode: good.encode.replace(", tokenizer.eosId", ""),
      shift: good.shift,
      closing: "It depends on the model.",
    },
    losses: { "encode-test": 0, "mask-test": 0, "collate-test": 0, "attend-test": 0 },
  },
};
