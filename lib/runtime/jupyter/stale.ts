// Which cells' results no longer follow from the present state, because a definition that they used
// has been replaced since, or one from which that definition was made.

import type { CellNames } from "../cell_names.ts";

/** One run of a cell. */
interface Run {
  /** What the client calls the cell: a later run of the same cell replaces this one. */
  cell: string;
  /** The number in front of the cell. */
  count: number;
  /** The definitions that it used. */
  used: Map<string, Definition>;
}

/** A value that a name has had. */
interface Definition {
  run: Run;
}

/** Why a result is stale. */
export interface Staleness {
  cell: string;
  /** The name that has another value now. */
  name: string;
  /** The number in front of the cell that gave it the new value. */
  by: number;
}

/** Follows definitions over the runs of a session. */
export class StaleCells {
  #definitions = new Map<string, Definition>();
  #runs = new Map<string, Run>();

  /**
   * Takes in a run of a cell.
   *
   * @param cell What the client calls the cell.
   * @param count The number in front of it.
   * @param names Its names.
   */
  add(cell: string, count: number, names: CellNames): void {
    const used = new Map<string, Definition>();
    for (const name of names.used) {
      const definition = this.#definitions.get(name);
      if (definition !== undefined) used.set(name, definition);
    }
    const run: Run = { cell, count, used };
    this.#runs.set(cell, run);
    for (const { name } of names.declared) this.#definitions.set(name, { run });
    for (const name of names.assigned) this.#definitions.set(name, { run });
  }

  /** Forgets all: the kernel has been started anew, and no result follows from its state. */
  clear(): void {
    this.#definitions.clear();
    this.#runs.clear();
  }

  /** The cells whose results are stale, with the first reason for each. */
  find(): Staleness[] {
    const known = new Map<Run, { name: string; by: number } | null>();
    const reason = (run: Run): { name: string; by: number } | null => {
      const before = known.get(run);
      if (before !== undefined) return before;
      known.set(run, null); // A cell that uses its own earlier value is no reason by itself.
      for (const [name, definition] of run.used) {
        const present = this.#definitions.get(name);
        // What the run itself has changed, it knows.
        const replaced = present !== undefined && present !== definition && present.run !== run;
        const why = replaced ? { name, by: present.run.count } : reason(definition.run);
        if (why !== null && why.by !== run.count) {
          known.set(run, why);
          return why;
        }
      }
      return null;
    };
    return [...this.#runs.values()].flatMap((run) => {
      const why = reason(run);
      return why === null ? [] : [{ cell: run.cell, ...why }];
    });
  }
}
