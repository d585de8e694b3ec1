/**
 * Time that counts against a limit. On a busy machine a process waits while others have the processors;
 * that is not its fault, and does not count.
 *
 * @module
 */

/** What a task (a thread) of a process has used, in seconds. */
interface TaskTimes {
  /** Time on a processor. */
  readonly ran: number;
  /** Time in which it could run and had to wait for a processor. */
  readonly waited: number;
}

/** The longest wait, in multiples of a limit, however busy the machine is. */
const LONGEST = 10;
/** How old a reading may be, in seconds. */
const FRESH = 0.02;

/**
 * A clock for processes and all that they have started. It stands while all that a process could do is
 * wait for a processor; it runs while the process runs, sleeps or waits for itself.
 *
 * Where the system does not tell (it must be Linux, with `/proc/PID/schedstat`), it is a wall clock.
 */
export class ProcessorClock {
  readonly #processes: () => readonly number[];
  #wall = performance.now() / 1000;
  #now = 0;
  #tasks = new Map<number, Map<string, TaskTimes>>();

  /** @param processes The processes' ids, which may change. */
  constructor(processes: () => readonly number[]) {
    this.#processes = processes;
  }

  /** Seconds since the clock was made. */
  get now(): number {
    const wall = performance.now() / 1000;
    const passed = wall - this.#wall;
    if (passed < FRESH) return this.#now;
    let waited = 0, ran = 0;
    const tasks = new Map<number, Map<string, TaskTimes>>();
    for (const process of this.#processes()) {
      const before = this.#tasks.get(process);
      const after = taskTimes(process);
      tasks.set(process, after);
      let longest = 0;
      for (const [task, times] of after) {
        const last = before?.get(task) ?? { ran: 0, waited: 0 };
        ran += times.ran - last.ran;
        longest = Math.max(longest, times.waited - last.waited);
      }
      waited += longest;
    }
    this.#tasks = tasks;
    this.#wall = wall;
    // Many threads that wait for each other have had the processors all the same.
    const share = ran / navigator.hardwareConcurrency;
    this.#now += Math.min(passed, Math.max(passed - waited, share));
    return this.#now;
  }

  /**
   * Starts a timer.
   *
   * @param seconds When it is over, on this clock.
   * @param onOver Called then.
   * @returns Dispose it to stop it.
   */
  timer(seconds: number, onOver: () => void): Disposable {
    const started = this.now;
    const latest = performance.now() + LONGEST * seconds * 1000;
    let id: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      id = setTimeout(() => {
        const left = seconds - (this.now - started);
        if (left <= 0 || performance.now() >= latest) onOver();
        else wait(left);
      }, left * 1000);
    };
    wait(seconds);
    return { [Symbol.dispose]: () => clearTimeout(id) };
  }
}

/** What the tasks of a process and its descendants have used, by their ids; empty where that is not known. */
function taskTimes(process: number): Map<string, TaskTimes> {
  const found = new Map<string, TaskTimes>();
  const processes = [String(process)];
  for (const id of processes) {
    try {
      for (const { name: task } of Deno.readDirSync(`/proc/${id}/task`)) {
        const folder = `/proc/${id}/task/${task}`;
        // Nanoseconds on a processor, nanoseconds waiting for one, turns.
        const [ran, waited] = Deno.readTextFileSync(`${folder}/schedstat`).split(" ").map(Number);
        found.set(task, { ran: ran! / 1e9, waited: waited! / 1e9 });
        processes.push(...childrenOf(folder));
      }
    } catch {
      // It has ended, or the system does not tell.
    }
  }
  return found;
}

/** The processes that a task has started. */
function childrenOf(folder: string): string[] {
  try {
    return Deno.readTextFileSync(`${folder}/children`).split(" ").filter((id) => id.trim() !== "");
  } catch {
    return []; // Not every Linux lists them.
  }
}
