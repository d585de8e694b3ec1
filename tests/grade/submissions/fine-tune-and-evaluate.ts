import type { Quality, Submission } from "./submission.ts";

const tune = (settings: string) =>
  `const model = await loadModel("nano");
await model.train(trainEntries, { ${settings} }).finish();
const answer = (questions: typeof validation) => model.answer(questions, { maxNewTokens: 16 });`;

const good = {
  exact: `const plain = (text: string) => text.trim().toLowerCase().replace(/\\.$/, "");
const exactMatch = (answers: string[], references: string[]) => {
  let right = 0;
  answers.forEach((text, i) => right += plain(text) === plain(references[i]) ? 1 : 0);
  return right / references.length;
};`,
  overlap: `const counts = (text: string) => {
  const found = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\\p{L}\\p{N}]+/gu)) {
    found.set(word, (found.get(word) ?? 0) + 1);
  }
  return found;
};
const sumOf = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
function wordF1(answer: string, reference: string) {
  const [mine, theirs] = [counts(answer), counts(reference)];
  const shared = sumOf([...mine].map(([word, n]) => Math.min(n, theirs.get(word) ?? 0)));
  if (shared === 0) return 0;
  const precision = shared / sumOf(mine.values());
  const recall = shared / sumOf(theirs.values());
  return 2 * precision * recall / (precision + recall);
}`,
  error: `const standardError = (scores: number[]) => {
  const n = scores.length;
  const mean = scores.reduce((a, b) => a + b) / n;
  return Math.sqrt(scores.map((s) => (s - mean) ** 2).reduce((a, b) => a + b) / (n * (n - 1)));
};`,
  tune: tune("learningRate: 1e-3, epochs: 2, batchSize: 8, seed: 7"),
  errors: "Before: '- a large: larger, largest' After: 'The plural of tomato is tomatoes.' where " +
    "orange was asked. So it learnt the form; the facts it knew. Most words are the form's, so F1 is high.",
  rate:
    "With 3e-3 fewer facts are right in the same sentences. The loss falls, as it learns by heart.",
};

/** Three submissions of the assignment "fine-tune-and-evaluate". */
export const submissions: Readonly<Record<Quality, Submission>> = {
  good: { answers: good, losses: {} },
  // Words count once, the deviation is that of a population, and the learning rate is far too low.
  fair: {
    answers: {
      ...good,
      overlap: good.overlap.replace("(found.get(word) ?? 0) + 1", "1"),
      error: good.error.replace("(n * (n - 1))", "(n * n)"),
      tune: tune("learningRate: 1e-5, epochs: 1, batchSize: 8, seed: 7"),
    },
    losses: { "overlap-test": 0, "error-test": 0, "tune-test": 0 },
  },
  // Texts are compared as they are; the model answers without a training, and nothing else was done.
  poor: {
    answers: {
      exact: good.exact.replace(".trim().toLowerCase()", ""),
      tune: tune("maxSteps: 1, learningRate: 1e-6, seed: 7"),
      rate: "I did not try.",
    },
    losses: { "exact-test": 0, "overlap-test": 0, "error-test": 0, "tune-test": 0 },
  },
};
