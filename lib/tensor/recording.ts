/**
 * Records operations on the tape, so that `backward()` in `tape.ts` can differentiate them.
 *
 * @module
 */

import type { GradientFunction, Tensor } from "./tensor.ts";

/** Whether operations are recorded now. */
let recording = true;

/**
 * Runs a function without recording: nothing in it can be differentiated, and no memory is held for that.
 *
 * @param body A synchronous function.
 * @returns What the function returned.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { noGrad, tensor } from "tunebook/tensor";
 *
 * const x = tensor([2]);
 * x.requiresGrad = true;
 * assertEquals(noGrad(() => x.mul(x)).requiresGrad, false);
 * ```
 */
export function noGrad<T>(body: () => T): T {
  return withRecording(false, body);
}

/** Runs a function with recording, within what runs without. @ignore */
export function withGrad<T>(body: () => T): T {
  return withRecording(true, body);
}

function withRecording<T>(state: boolean, body: () => T): T {
  const before = recording;
  recording = state;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/**
 * Whether an op with these inputs will be recorded, so that it must save what its gradient needs.
 *
 * @param inputs The op's inputs.
 * @returns Whether gradients flow through it.
 */
export function isRecorded(...inputs: (Tensor | undefined)[]): boolean {
  return recording && inputs.some((input) => input && (input.requiresGrad || input.node));
}

/**
 * Records an op on the tape: called by the op once its forward kernel is enqueued.
 *
 * @param output The op's result.
 * @param inputs Its inputs that can have gradients.
 * @param gradient Enqueues the kernels that compute the inputs' gradients from the output's.
 * @returns The output.
 */
export function record(
  output: Tensor,
  inputs: readonly (Tensor | undefined)[],
  gradient: GradientFunction,
): Tensor {
  if (isRecorded(...inputs)) {
    output.node = { inputs: inputs.filter((input) => input !== undefined), gradient };
  }
  return output;
}
