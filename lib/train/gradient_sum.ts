/**
 * Gradients summed over ranks, in buckets, while the backward pass continues: a bucket is read as soon as the device has
 * computed it, and its sum is under way while the next one is computed.
 *
 * @module
 */

import type { Communicator } from "../mpi/mod.ts";
import { scaleInto } from "../tensor/ops/scale/scale.ts";
import { Tensor } from "../tensor/mod.ts";

/** Floats of a bucket: large enough for a network's full speed, small enough to begin early. */
const BUCKET_FLOATS = 1 << 21;

/** Consecutive elements of one parameter. */
interface Segment {
  readonly parameter: Tensor;
  readonly first: number;
  readonly count: number;
}

/** Sums the gradients of a model's trainable parameters. */
export class GradientSum {
  readonly #communicator: Communicator;
  readonly #parameters: readonly Tensor[];
  readonly #buckets: readonly (readonly Segment[])[];
  /** Two, so that one is filled while the other's sum is under way. */
  readonly #memory: readonly Float32Array<ArrayBuffer>[];

  /**
   * @param communicator The ranks.
   * @param parameters The parameters, in the same order in all ranks, as the forward pass uses them.
   * @param bucketFloats Floats of a bucket.
   */
  constructor(
    communicator: Communicator,
    parameters: Iterable<Tensor>,
    bucketFloats = BUCKET_FLOATS,
  ) {
    this.#communicator = communicator;
    this.#parameters = [...parameters];
    // The last layer's gradients are known first.
    this.#buckets = fillBuckets(this.#parameters.toReversed(), bucketFloats);
    const longest = Math.max(0, ...this.#buckets.map(sizeOf));
    this.#memory = [0, 1].map(() => new Float32Array(longest));
  }

  /**
   * Replaces all gradients by their sums over ranks. The gradients may still be under way.
   *
   * @param late Numbers of this rank's to be summed too, asked for once all gradients are there.
   * @returns Their sums.
   */
  async run(late: () => Promise<readonly number[]>): Promise<number[]> {
    // A rank whose part of the batch is empty has none; where no rank has one, none is made.
    const present = this.#parameters.map(({ grad }) => Number(grad !== undefined));
    for (const parameter of this.#parameters) ownGradient(parameter);
    let last: Promise<void> = Promise.resolve();
    for (const [at, bucket] of this.#buckets.entries()) {
      const values = this.#memory[at % 2].subarray(0, sizeOf(bucket));
      const read = readInto(values, bucket);
      // Both are awaited, so that no failure of one leaves the other behind.
      for (const result of await Promise.allSettled([read, last])) {
        if (result.status === "rejected") throw result.reason;
      }
      last = this.#communicator.sum(values).then(() => write(values, bucket));
    }
    await last;
    const numbers = await late();
    const gathered = await this.#communicator.gather([...numbers, ...present]);
    const sums = Array.from(gathered[0], (_, i) => gathered.reduce((sum, one) => sum + one[i], 0));
    for (const [i, parameter] of this.#parameters.entries()) {
      if (sums[numbers.length + i] > 0) continue;
      parameter.grad?.dispose();
      parameter.grad = undefined;
    }
    return sums.slice(0, numbers.length);
  }
}

function fillBuckets(parameters: readonly Tensor[], most: number): Segment[][] {
  const buckets: Segment[][] = [];
  let room = 0;
  for (const parameter of parameters) {
    for (let first = 0; first < parameter.size;) {
      if (room === 0) {
        buckets.push([]);
        room = most;
      }
      const count = Math.min(room, parameter.size - first);
      buckets.at(-1)!.push({ parameter, first, count });
      first += count;
      room -= count;
    }
  }
  return buckets;
}

const sizeOf = (bucket: readonly Segment[]) => bucket.reduce((sum, { count }) => sum + count, 0);

/** Gives a parameter a gradient that shares no memory: 0 if it has none. */
function ownGradient(parameter: Tensor): void {
  const { grad, device, shape } = parameter;
  if (grad?.exclusive) return;
  const own = parameter.spareGrad ?? Tensor.empty(device, shape).keep();
  parameter.spareGrad = undefined;
  if (grad) scaleInto(own, grad, 1, 0);
  else own.assign(new Float32Array(own.size));
  grad?.dispose();
  parameter.grad = own;
}

/** Waits for a bucket's gradients. */
async function readInto(values: Float32Array, bucket: readonly Segment[]): Promise<void> {
  let at = 0;
  for (const { parameter: { device, grad }, first, count } of bucket) {
    values.set(new Float32Array(await device.read(grad!.buffer, first * 4, count * 4)), at);
    at += count;
  }
}

function write(values: Float32Array, bucket: readonly Segment[]): void {
  let at = 0;
  for (const { parameter: { grad }, first, count } of bucket) {
    grad!.assign(values.subarray(at, at + count), first);
    at += count;
  }
}
