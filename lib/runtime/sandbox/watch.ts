// A watch on what a kernel has in memory, for where no control group counts it: the limits of a process count
// only pages that can be written, so pages that were written and then closed, and page tables, escape them.

/** How often it looks, in milliseconds. */
const PERIOD = 100;
/** What is resident, what was swapped out, and the tables of both, in `/proc/PID/status`; see proc_pid_status(5). */
const COUNTED = /^Vm(?:RSS|Swap|PTE):\s*(\d+) kB$/gm;

/**
 * Watches all processes that can be seen but this one, and ends the largest once they have too much.
 *
 * @param most The memory that they may have together, in MiB.
 * @returns What ends the watch.
 */
export function watchMemory(most: number): Disposable {
  const look = async () => {
    try {
      const found = await processes();
      const sum = found.reduce((sum, { kilobytes }) => sum + kilobytes, 0);
      if (sum <= most * 1024) return;
      found.sort((a, b) => b.kilobytes - a.kilobytes);
      Deno.kill(found[0].pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  };
  let looking = false;
  const timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    await look();
    looking = false;
  }, PERIOD);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The processes that can be seen but this one, and what each has. */
async function processes(): Promise<{ pid: number; kilobytes: number }[]> {
  const found: { pid: number; kilobytes: number }[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const pid = Number(name);
    if (!(pid > 0) || pid === Deno.pid) continue;
    const status = await Deno.readTextFile(`/proc/${name}/status`).catch(() => "");
    const kilobytes = [...status.matchAll(COUNTED)].reduce(
      (sum, [, size]) => sum + Number(size),
      0,
    );
    found.push({ pid, kilobytes });
  }
  return found;
}
