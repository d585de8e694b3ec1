// Losses as a reader writes them, from the small operations.

import { oneHot, type Tensor } from "../../lib/tensor/mod.ts";

/** Cross-entropy with smoothed labels (Szegedy et al., 2016): targets share a little with all other classes. */
export function labelSmoothing(logits: Tensor, targets: Tensor, smoothing: number): Tensor {
  const classes = logits.shape[1];
  const wanted = oneHot(targets, classes).mul(1 - smoothing).add(smoothing / classes);
  return wanted.mul(logits.logSoftmax()).sum({ axis: -1 }).mean().neg();
}

/** Distillation (Hinton et al., 2015): the Kullback–Leibler divergence of a student from a teacher at a temperature. */
export function distillation(student: Tensor, teacher: Tensor, temperature: number): Tensor {
  const expected = teacher.div(temperature).logSoftmax().detach();
  const surprise = expected.sub(student.div(temperature).logSoftmax());
  return expected.exp().mul(surprise).sum({ axis: -1 }).mean().mul(temperature ** 2);
}

/** An answer: what a model gave to each token, the tokens, and the log-probability under the reference model. */
export interface Answer {
  /** (answers, tokens, vocabulary). */
  readonly logits: Tensor;
  /** (answers, tokens). */
  readonly tokens: Tensor;
  /** (answers). */
  readonly reference: Tensor;
}

/** Direct preference optimisation (Rafailov et al., 2023). */
export function dpo(chosen: Answer, rejected: Answer, mask: Tensor, beta: number): Tensor {
  const gain = ({ logits, tokens, reference }: Answer) => {
    const index = tokens.reshape([...tokens.shape, 1]);
    const picked = logits.logSoftmax().gather(index).reshape(tokens.shape);
    return picked.mul(mask).sum({ axis: -1 }).sub(reference);
  };
  return gain(chosen).sub(gain(rejected)).mul(beta).logSigmoid().mean().neg();
}
