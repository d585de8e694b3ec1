/** What the benchmarks ran on, and how much of it was theirs. */

/** A sentence on this machine and the programs. */
export async function describeMachine(
  about: Iterable<string>,
  before: ProcessorTime | undefined,
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
    `Deno ${Deno.version.deno}. ${programs}.`;
}

/** Processor time since the machine's start: all that was wanted, and what its host gave to other guests. */
export interface ProcessorTime {
  readonly wanted: number;
  readonly stolen: number;
}

/** What the machine tells of its processors' time; undefined where it is no Linux. */
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
