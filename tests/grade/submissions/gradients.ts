import type { Quality, Submission } from "./submission.ts";

const kernel = (lines: string) =>
  `const kernelLines = \`
${lines}
\`;
const slopesByKernel = (x: Float32Array<ArrayBuffer>, right: Float32Array<ArrayBuffer>) =>
  runKernel(kernelLines, slopeAt, x, right);`;

const good = {
  softmax: `const softmax = (logits: number[]) => {
  let shift = -Infinity;
  for (const x of logits) if (x > shift) shift = x;
  let total = 0;
  for (const x of logits) total += Math.exp(x - shift);
  return logits.map((x) => Math.exp(x - shift) / total);
};`,
  loss: `function crossEntropy(logits: number[][], targets: number[]) {
  let [sum, rows] = [0, 0];
  for (const [i, row] of logits.entries()) {
    if (targets[i] === IGNORE_INDEX) continue;
    const shift = Math.max(...row);
    sum += Math.log(row.map((x) => Math.exp(x - shift)).reduce((a, b) => a + b)) + shift;
    sum -= row[targets[i]];
    rows++;
  }
  return sum / Math.max(rows, 1);
}`,
  gradient: `function crossEntropyGradient(logits: number[][], targets: number[]) {
  const rows = targets.filter((t) => t !== IGNORE_INDEX).length;
  const slopes = logits.map((row) => softmax(row).map((p) => p / rows));
  targets.forEach((t, i) => {
    if (t === IGNORE_INDEX) slopes[i].fill(0);
    if (t !== IGNORE_INDEX) slopes[i][t] -= 1 / rows;
  });
  return slopes;
}`,
  thread: `const slopeAt = (i: number, x: Float32Array, right: Float32Array) =>
  softmax([...x])[i] - right[i];`,
  kernel: kernel(`  var shift = x[0];
  let n = arrayLength(&x);
  for (var j = 0u; j < n; j = j + 1u) { shift = max(shift, x[j]); }
  var total = 0.0;
  for (var j = 0u; j < n; j = j + 1u) { total = total + exp(x[j] - shift); }
  if (id.x < n) { slopes[id.x] = exp(x[id.x] - shift) / total - right[id.x]; }`),
  meaning:
    "Both rows add up to 1, so the difference adds up to 0. The target goes up and all others " +
    "go down, since a step goes against the slope. If the model is sure, all slopes vanish.",
};

/** Three submissions of the assignment "gradients". */
export const submissions: Readonly<Record<Quality, Submission>> = {
  good: { answers: good, losses: {} },
  // Softmax overflows, and the means are those of all rows or of none.
  fair: {
    answers: {
      ...good,
      softmax: `const softmax = (logits: number[]) => {
  const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
  return logits.map((x) => Math.exp(x) / total);
};`,
      loss: good.loss.replace("Math.max(rows, 1)", "logits.length"),
      gradient: good.gradient.replaceAll("/ rows", ""),
      meaning: "The others go down.",
    },
    losses: { "softmax-test": 0, "loss-test": 0, "gradient-test": 2, "thread-test": 0 },
  },
  // The target is forgotten in the gradient, and the kernel was not begun.
  poor: {
    answers: {
      softmax: good.softmax,
      gradient: good.gradient.replace("-= 1 / rows", "-= 0"),
      thread: good.thread.replace(" - right[i]", ""),
    },
    losses: {
      "loss-test": 0,
      "gradient-test": 0,
      "thread-test": 0,
      "kernel-test": 0,
    },
  },
};
