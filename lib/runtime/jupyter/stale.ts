// Finds cells with stale results: a definition that they used has been replaced since, directly or
// through other definitions.

import type { CellNames } from "../cell_names.ts";

/** One run of a cell. */
interface Run {
  /** The cell's id: a later run of the same cell replaces this one. */
  cell: string;
  /** The cell's execution count. */
  count: number;
  /** The definitions that it used, by name. */
  used: Map<string, Definition>;
}

/** A definition of a name. */
interface Definition {
  run: Run;
}

/** Why a result is stale. */
export interface Staleness {
  cell: string;
  /** The name that has been redefined. */
  name: string;
  /** The execution count of the cell that redefined it. */
  by: number;
}

/** Tracks definitions over the runs of a session. */
export class StaleCells {
  #definitions = new Map<string, Definition>();
  #runs = new Map<string, Run>();

  /**
   * Records a run of a cell.
   *
   * @param cell The cell's id.
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

  /** Forgets everything: the kernel has been restarted, so no result reflects its state. */
  clear(): void {
    this.#definitions.clear();
    this.#runs.clear();
  }

  /** The cells with stale results, each with the first reason. */
  find(): Staleness[] {
    const known = new Map<Run, { name: string; by: number } | null>();
    const reason = (run: Run): { name: string; by: number } | null => {
      const before = known.get(run);
      if (before !== undefined) return before;
      known.set(run, null); // A cell that uses its own earlier value is not stale because of that.
      for (const [name, definition] of run.used) {
        const present = this.#definitions.get(name);
        // The run's own changes do not make it stale.
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
