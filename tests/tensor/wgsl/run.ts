// Runs dispatches of compute kernels with their threads in several orders, and detects races.

import { type Clock, Memory } from "./memory.ts";
import { type Barrier, type Builtins, type Thread, translate } from "./translate.ts";

/** A dispatch. */
export interface WgslDispatch {
  /** The text. */
  readonly code: string;
  readonly entryPoint: string;
  readonly workgroups: readonly [number, number, number];
  /** The bytes of each binding; changed in place. */
  readonly bindings: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
  /** The uniform struct: scalars of 4 bytes each. */
  readonly uniforms: DataView;
}

type MemoriesByKind = Readonly<Record<Barrier["memory"], Memory[]>>;

/** An order: returns the numbers below `count`, each once. */
export type Order = (count: number) => Iterable<number>;

/** Ascending order, its reverse, and one without a pattern. */
export const ORDERS: Readonly<Record<string, Order>> = {
  forward: (count) => Array.from({ length: count }, (_, i) => i),
  backward: (count) => Array.from({ length: count }, (_, i) => count - 1 - i),
  shuffled(count) {
    const numbers = Array.from({ length: count }, (_, i) => i);
    let state = 1;
    for (let i = count - 1; i > 0; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const other = Math.floor(state / 2 ** 32 * (i + 1));
      [numbers[i], numbers[other]] = [numbers[other], numbers[i]];
    }
    return numbers;
  },
};

const WORDS = { f32: Float32Array, u32: Uint32Array, i32: Int32Array };

/**
 * Runs a dispatch.
 *
 * @param dispatch The dispatch.
 * @param order The order of its workgroups, and of the threads of each between barriers.
 * @param options Whether to detect races, by default yes.
 * @throws {Error} If threads use the same word of memory with no barrier between, and one writes it, or if only some of a
 * workgroup come to a barrier.
 */
export function runDispatch(
  dispatch: WgslDispatch,
  order: Order,
  { watch = true }: { watch?: boolean } = {},
): void {
  const { code, entryPoint, workgroups, bindings, uniforms } = dispatch;
  const translated = translate(code);
  const { workgroupSize, builtins, hasBarriers } = translated.entryPoints.get(entryPoint)!;
  const [columns, rows, layers] = workgroupSize;
  const size = columns * rows * layers;
  const clock: Clock = { group: 0, thread: 0, size };
  const byKind: MemoriesByKind = { workgroup: [], storage: [] };
  const memories: Record<string, Memory> = {};
  for (const { name, binding, written, scalar, words } of translated.memories) {
    if (binding === undefined) {
      const memory = new Memory(name, new WORDS[scalar](words), watch ? clock : undefined);
      memories[name] = memory;
      byKind.workgroup.push(memory);
      continue;
    }
    const bytes = bindings.get(binding);
    if (!bytes) continue; // another entry point uses it
    const { buffer, byteOffset, byteLength } = bytes;
    const shown = new WORDS[scalar](buffer, byteOffset, byteLength / 4);
    // Buffers that are only read cannot race.
    memories[name] = new Memory(name, shown, watch && written ? clock : undefined);
    if (watch && written) byKind.storage.push(memories[name]);
  }
  const values = translated.uniforms.map((of, i) =>
    of === "f32" ? uniforms.getFloat32(4 * i, true) : uniforms.getUint32(4 * i, true)
  );
  const run = translated.bind(memories, values)[entryPoint];
  const [groupsX, groupsY, groupsZ] = workgroups;
  for (const group of order(groupsX * groupsY * groupsZ)) {
    const place = coordinates(group, groupsX, groupsY);
    const argumentsOf = (thread: number) => {
      const within = coordinates(thread, columns, rows);
      const values: Builtins = {
        workgroup_id: place,
        num_workgroups: workgroups,
        local_invocation_id: within,
        local_invocation_index: [thread],
        global_invocation_id: within.map((at, axis) => place[axis] * workgroupSize[axis] + at),
      };
      return builtins.flatMap((name) => values[name]);
    };
    clock.group = group;
    for (const memory of byKind.workgroup) memory.clear();
    if (hasBarriers) {
      runTogether(order, clock, byKind, (thread) => run(...argumentsOf(thread)) as Thread);
      continue;
    }
    for (const thread of order(size)) {
      clock.thread = group * size + thread;
      run(...argumentsOf(thread));
    }
  }
}

/**
 * Runs a dispatch in every order, from the same memory.
 *
 * @param dispatch The dispatch; its bindings hold the result afterwards.
 * @param written The bindings that it may write.
 * @param options Whether to watch which words threads use, as is usual; in one order that is enough.
 * @throws {Error} If an order gives other bits, or threads race.
 */
export function runInOrders(
  dispatch: WgslDispatch,
  written: readonly number[],
  { watch = true }: { watch?: boolean } = {},
): void {
  const targets = written.flatMap((binding) => dispatch.bindings.get(binding) ?? []);
  const before = targets.map((bytes) => bytes.slice());
  let first: Uint8Array[] | undefined;
  for (const [name, order] of Object.entries(ORDERS)) {
    targets.forEach((bytes, i) => bytes.set(before[i]));
    runDispatch(dispatch, order, { watch: watch && !first });
    if (first && !targets.every((bytes, i) => sameBytes(bytes, first![i]))) {
      throw new Error(`Threads in the order "${name}" give other bits`);
    }
    first ??= targets.map((bytes) => bytes.slice());
  }
}

/** Much faster for large buffers than assertEquals(). */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Runs the threads of a workgroup from barrier to barrier. */
function runTogether(
  order: Order,
  clock: Clock,
  memories: MemoriesByKind,
  start: (thread: number) => Thread,
): void {
  const { group, size } = clock;
  const threads = Array.from({ length: size }, (_, thread) => start(thread));
  for (;;) {
    const reached = new Map<number | undefined, Barrier | undefined>();
    for (const thread of order(size)) {
      clock.thread = group * size + thread;
      const barrier = threads[thread].next().value || undefined;
      reached.set(barrier?.line, barrier);
    }
    if (reached.size > 1) {
      const lines = [...reached.keys()].map((line) => line ? `line ${line}` : "the end");
      throw new Error(`Threads of a workgroup wait at different barriers: ${lines.join(", ")}`);
    }
    const [barrier] = reached.values();
    if (!barrier) return;
    for (const memory of memories[barrier.memory]) memory.passBarrier();
  }
}

function coordinates(index: number, width: number, height: number): [number, number, number] {
  return [index % width, Math.floor(index / width) % height, Math.floor(index / width / height)];
}
