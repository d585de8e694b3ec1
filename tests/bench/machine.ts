/** What the benchmarks ran on, by which settings, and how much of it was theirs. */

import type { Device } from "../../lib/tensor/mod.ts";

/** Variables that make OpenBLAS take the kernels of another processor than this one. */
const FOREIGN = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];

/**
 * Removes from this process's environment, and so from that of every program that is measured, what makes OpenBLAS take
 * other kernels than those of this processor. Call it before anything is computed.
 *
 * @returns What was removed, as `NAME=value`.
 */
export function takeOwnBlasSettings(): string[] {
  return FOREIGN.flatMap((name) => {
    const value = Deno.env.get(name);
    Deno.env.delete(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
}

/** A device's name and the facts that decide its speed, such as which kernels its BLAS takes. */
export function describeDevice({ name, facts }: Device): string {
  const { device: _device, threads: _threads, blas: _blas, ...others } = facts;
  const told = Object.entries(others).map(([fact, value]) => `${fact} ${value}`);
  return told.length > 0 ? `${name} (${told.join(", ")})` : name;
}

/** A sentence on this machine, the programs, and the variables that were removed. */
export async function describeMachine(
  about: Iterable<string>,
  before: ProcessorTime | undefined,
  removed: readonly string[] = [],
): Promise<string> {
  let processor: string = Deno.build.arch;
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    processor = text.match(/^model name\s*: (.*)$/m)?.[1] ?? processor;
  } catch {
    // not Linux: the architecture has to do
  }
  const day = new Date().toISOString().slice(0, 10);
  const cores = navigator.hardwareConcurrency;
  const load = Deno.loadavg()[0].toFixed(1);
  const programs = [...about].sort().join("; ");
  const share = stolenShare(before, await processorTime());
  const stolen = share === undefined ? "" : `, ${share} % of processor time taken by other guests`;
  return `Measured ${day} on ${cores} cores of ${processor} (load ${load} at the end${stolen}), ` +
    `Deno ${Deno.version.deno}, BLAS by this machine's own settings${
      removed.length > 0 ? ` (without ${removed.join(", ")})` : ""
    }. ${programs}.`;
}

/** Processor time since the machine's start: all that was wanted, and what its host gave to other guests. */
export interface ProcessorTime {
  readonly wanted: number;
  readonly stolen: number;
}

/** The processor times of the machine; undefined if it is not Linux. */
export async function processorTime(): Promise<ProcessorTime | undefined> {
  const text = await Deno.readTextFile("/proc/stat").catch(() => "");
  const [user, nice, system, , , irq, softIrq, stolen] = text.split("\n")[0].match(/\d+/g)
    ?.map(Number) ?? [];
  if (stolen === undefined) return undefined;
  return { wanted: user + nice + system + irq + softIrq + stolen, stolen };
}

/** The share that went to other guests in between, in percent. */
function stolenShare(
  before: ProcessorTime | undefined,
  after: ProcessorTime | undefined,
): number | undefined {
  if (!before || !after) return undefined;
  return Math.round(100 * (after.stolen - before.stolen) / (after.wanted - before.wanted));
}
