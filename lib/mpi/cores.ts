/**
 * How many threads a rank may use: its share of the cores that it and the other ranks of its node may run on.
 *
 * @module
 */

/** Where a rank runs. */
export interface Place {
  /** The node's name. */
  readonly host: string;
  /** The cores that it may run on, by number; as many as there are, where the system does not tell. */
  readonly cores: readonly number[];
}

/**
 * Finds out where this process runs.
 *
 * @returns Host and cores.
 */
export function findPlace(): Place {
  const all = Array.from({ length: navigator.hardwareConcurrency }, (_, core) => core);
  return { host: Deno.hostname(), cores: allowedCores() ?? all };
}

/** The cores that Linux lets this process run on, which a launcher may have chosen. */
function allowedCores(): number[] | undefined {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(Deno.readTextFileSync("/proc/self/status"));
    return list ? parseCores(list[1]) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a list of cores.
 *
 * @param list As Linux writes it: `0-3,8`.
 * @returns Their numbers.
 */
export function parseCores(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/**
 * A rank's share of the cores: each core is divided by the ranks that may run on it.
 *
 * @param places Where each rank runs.
 * @param rank The rank.
 * @returns A number of threads, at least 1.
 */
export function shareOfCores(places: readonly Place[], rank: number): number {
  const own = places[rank];
  const onNode = places.filter(({ host }) => host === own.host);
  const share = own.cores.reduce((sum, core) => {
    return sum + 1 / onNode.filter(({ cores }) => cores.includes(core)).length;
  }, 0);
  return Math.max(1, Math.floor(share + 1e-9));
}
