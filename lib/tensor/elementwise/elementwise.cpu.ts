/**
 * How threads share out elementwise operations: consecutive elements of the result, a chunk at a time. Inputs that are
 * repeated are repeated into the chunk, so that what is compiled from a formula sees vectors only.
 */
import type { Context } from "../cpu/context.ts";
import type { CpuKernel } from "../cpu/kernel.ts";

/** Floats of all chunks together. */
const CHUNK_FLOATS = 64 * 1024;

/** Runs shorter than this are copied by a loop, which costs less than a call. */
const SHORT_RUN = 24;

/**
 * Makes the CPU kernel of a formula.
 *
 * @param compiled Name of what was compiled from it: its arguments are the inputs' addresses in the kernel's order, the
 * result's, the number of elements, then numbers, then whether to accumulate.
 * @param numbers The numbers that the formula uses.
 * @returns The kernel.
 */
export function elementwise(compiled: string, numbers: readonly string[] = []): CpuKernel {
  return (context, buffers, params) => {
    const names = Object.keys(buffers);
    const result = names.pop()!;
    const target = buffers[result];
    const { first, last } = context.share(params.size, 16);
    if (first >= last) return;
    const step = Math.min(
      last - first,
      Math.floor(CHUNK_FLOATS / (names.length + 1) / 16) * 16,
    );
    const inputs = names.map((name) => new Input(name, buffers[name], params));
    const addresses = names.map(() => context.reserve(step));
    const resultAt = context.reserve(step);
    inputs.forEach((input, i) => {
      if (!input.varies) input.read(context, addresses[i], 0, step);
    });
    const rest = numbers.map((name) => params[name]);
    const { accumulate } = params;
    const flags = accumulate === undefined ? [] : [accumulate];
    for (let begin = first; begin < last; begin += step) {
      const count = Math.min(step, last - begin);
      inputs.forEach((input, i) => {
        if (input.varies) input.read(context, addresses[i], begin, count);
      });
      if (accumulate) context.floats.set(target.subarray(begin, begin + count), resultAt / 4);
      context.callCompiled(compiled, ...addresses, resultAt, count, ...rest, ...flags);
      target.set(context.floats.subarray(resultAt / 4, resultAt / 4 + count), begin);
    }
  };
}

/** A tensor, walked over with strides. */
class Input {
  readonly #source: Float32Array;
  readonly #lengths: number[];
  readonly #strides: number[];

  constructor(name: string, source: Float32Array, params: Record<string, number>) {
    this.#source = source;
    this.#strides = [params[`${name}Stride0`]];
    this.#lengths = [0];
    let inner = 1;
    for (let d = 1; `length${d}` in params; d++) {
      this.#lengths.push(params[`length${d}`]);
      this.#strides.push(params[`${name}Stride${d}`]);
      inner *= params[`length${d}`];
    }
    this.#lengths[0] = params.size / inner;
  }

  /** Whether it is more than one number. */
  get varies(): boolean {
    return this.#strides.some((stride) => stride !== 0);
  }

  /** Copies what it is at the elements from `first` of the result. */
  read(context: Context, address: number, first: number, count: number): void {
    const { floats } = context;
    const source = this.#source;
    const lengths = this.#lengths;
    const strides = this.#strides;
    const inner = lengths.length - 1;
    const stride = strides[inner];
    let at = address / 4;
    if (inner === 0 && stride === 1) return floats.set(source.subarray(first, first + count), at);

    const index = new Array<number>(inner);
    let column = first % lengths[inner];
    let outer = Math.floor(first / lengths[inner]);
    let base = 0;
    for (let d = inner - 1; d >= 0; d--) {
      index[d] = outer % lengths[d];
      outer = Math.floor(outer / lengths[d]);
      base += index[d] * strides[d];
    }
    for (const end = at + count; at < end; column = 0) {
      const run = Math.min(end - at, lengths[inner] - column);
      const from = base + column * stride;
      if (run < SHORT_RUN) {
        for (let i = 0; i < run; i++) floats[at + i] = source[from + i * stride];
      } else if (stride === 0) {
        floats.fill(source[from], at, at + run);
      } else {
        floats.set(source.subarray(from, from + run), at);
      }
      at += run;
      for (let d = inner - 1; d >= 0; d--) {
        base += strides[d];
        if (++index[d] < lengths[d]) break;
        base -= strides[d] * lengths[d];
        index[d] = 0;
      }
    }
  }
}
