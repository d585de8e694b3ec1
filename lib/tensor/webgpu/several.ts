/**
 * Kernels that treat several sets of buffers in one dispatch: on a GPU, starting a dispatch takes longer than adding up
 * a bias. Lines of their WGSL that hold `$s` are repeated for each set, whose number is the workgroup's z.
 *
 * @module
 */

import {
  type Access,
  defineKernel,
  type Device,
  type DeviceBuffer,
  type Kernel,
} from "../device.ts";
import { fold } from "./plans.ts";
import { repeatLines } from "./repeat_lines.ts";

/**
 * The WGSL for one set: lines with `$s` stand once, and names are without a number.
 *
 * @param buffers The kernel's buffers.
 * @param wgsl The WGSL before and after the bindings.
 * @returns The WGSL.
 */
export function oneSetSource(
  buffers: Readonly<Record<string, Access>>,
  [before, after]: SeveralOptions["wgsl"],
): string {
  return before + bindingsOf(buffers) + after.replaceAll("$su", "0u").replaceAll("$s", "");
}

/** Declares buffers, and after them the uniform struct. */
function bindingsOf(buffers: Readonly<Record<string, Access>>): string {
  const names = Object.keys(buffers);
  const storage = names.map((name, binding) =>
    `@group(0) @binding(${binding}) ` +
    `var<storage, ${buffers[name] === "read" ? "read" : "read_write"}> ${name}: array<f32>;\n`
  );
  return `${storage.join("")}@group(0) @binding(${names.length}) var<uniform> params: Params;\n`;
}

/** What is done to each set. */
export interface SeveralOptions {
  /** The kernel for one set, whose buffers it may see in parts. */
  readonly one: Kernel;
  /** The WGSL for several, before and after the bindings. */
  readonly wgsl: readonly [before: string, after: string];
  /** The buffers of a set, of which there is one for each; the others of the kernel are shared. */
  readonly each: readonly string[];
  /** The scalars of a set; the first is its number of elements, each of 4 bytes. The others of the kernel are shared. */
  readonly eachParams: readonly string[];
  /** Elements that a workgroup treats. */
  readonly elementsPerGroup: number;
}

/** One set. */
export interface BufferSet {
  /** Its buffers, by the kernel's names. */
  readonly buffers: Readonly<Record<string, DeviceBuffer>>;
  /** Its scalars. */
  readonly params: Readonly<Record<string, number>>;
}

/** Each set gets as many workgroups as the largest: with more sets at once, more would have nothing to do. */
const MOST_SETS = 16;

/** A kernel for several sets, compiled for each number of them. */
export class SeveralKernel {
  readonly #options: SeveralOptions;
  readonly #kernels = new Map<number, Kernel>();

  /** @param options What is done to each set. */
  constructor(options: SeveralOptions) {
    this.#options = options;
  }

  /**
   * Enqueues the kernel for all sets: on a GPU, as many at once as it can take, those of about the same size together.
   *
   * @param device The device.
   * @param sets The sets, none of which writes what another uses.
   * @param shared Buffers and scalars that all of them share.
   */
  run(device: Device, sets: readonly BufferSet[], shared: BufferSet): void {
    const { one, each, eachParams } = this.#options;
    const sizeOf = ({ params }: BufferSet) => params[eachParams[0]];
    const most = this.#setsAtOnce(device);
    const sorted = sets.toSorted((a, b) => sizeOf(b) - sizeOf(a));
    const large = sorted.filter((set) => sizeOf(set) * 4 > device.maxBindingSize).length;
    for (let at = 0; at < sorted.length;) {
      const group = sorted.slice(at, at < large ? at + 1 : at + most);
      at += group.length;
      if (group.length === 1) {
        const buffers = { ...group[0].buffers, ...shared.buffers };
        device.run(one, buffers, { ...group[0].params, ...shared.params });
        continue;
      }
      const buffers = { ...shared.buffers };
      const params = { ...shared.params };
      for (const [index, set] of group.entries()) {
        for (const name of each) buffers[`${name}${index}`] = set.buffers[name];
        for (const name of eachParams) params[`${name}${index}`] = set.params[name];
      }
      device.run(this.#of(group.length), buffers, params);
    }
  }

  #setsAtOnce({ kind, maxKernelBuffers }: Device): number {
    if (kind !== "webgpu") return 1;
    const { one, each } = this.#options;
    const shared = Object.keys(one.buffers).length - each.length;
    return Math.max(1, Math.min(MOST_SETS, Math.floor((maxKernelBuffers - shared) / each.length)));
  }

  #of(sets: number): Kernel {
    const made = this.#kernels.get(sets) ?? this.#define(sets);
    this.#kernels.set(sets, made);
    return made;
  }

  #define(sets: number): Kernel {
    const { one, wgsl: [before, after], each, eachParams, elementsPerGroup } = this.#options;
    const numbered = <T>(all: Readonly<Record<string, T>>, names: readonly string[]) =>
      Object.fromEntries([
        ...names.flatMap((name) =>
          Array.from({ length: sets }, (_, set) => [`${name}${set}`, all[name]] as const)
        ),
        ...Object.entries(all).filter(([name]) => !names.includes(name)),
      ]);
    const buffers = numbered(one.buffers, each);
    return defineKernel<string, string, string>({
      name: one.name,
      buffers,
      params: numbered(one.params, eachParams),
      webgpu: {
        source: before + bindingsOf(buffers) + repeatLines(after, "$s", sets),
        plan({ params }: { params: Readonly<Record<string, number>> }) {
          const sizes = Array.from({ length: sets }, (_, set) => params[`${eachParams[0]}${set}`]);
          const [x, y] = fold(Math.ceil(Math.max(...sizes) / elementsPerGroup));
          return [{ workgroups: [x, y, sets] }];
        },
      },
    });
  }
}
