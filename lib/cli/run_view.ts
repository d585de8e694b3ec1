// Shows the progress of a run: the running cell, with its last line of output.

import { firstLine } from "../runtime/run_suite.ts";
import type { RunProgress } from "../runtime/runner.ts";
import { progress } from "./progress.ts";

/** The most characters of a line of output; the rest is in the notebook. */
const MOST_OF_LINE = 200;

/** Shows one notebook's run on standard error. */
export class RunView {
  #name: string;
  #several: boolean;
  #bar = progress("", 0, { terminal: false, write: () => {} });
  #title = "";
  #line = "";
  /** What happened to cells with cached results. */
  readonly caches: string[] = [];

  /**
   * @param name The notebook's name. @param several Whether other notebooks are shown too, so that
   * no bar is redrawn.
   */
  constructor(name: string, several = false) {
    this.#name = name;
    this.#several = several;
  }

  /** Handles an event of the run. */
  show(event: RunProgress): void {
    switch (event.type) {
      case "start":
        this.#bar = progress(this.#name, event.cells, this.#several ? { terminal: false } : {});
        break;
      case "cell":
        this.#title = firstLine(event.source);
        this.#line = "";
        this.#bar.update(event.cell - 1, this.#title);
        break;
      case "output": {
        const { type, content } = event.message;
        if (type !== "stream" && type !== "error") break;
        // A cell may wait forever for work that has failed.
        const text = type === "error" ? `${content.ename}: ${content.evalue}` : content.text;
        const last = text.trimEnd().split(/[\r\n]/).at(-1);
        if (last) this.#line = last.slice(0, MOST_OF_LINE);
        this.#bar.update(event.cell - 1, `${this.#title.slice(0, 24)} │ ${this.#line}`);
        break;
      }
      case "cell-end": {
        const detail = event.status === "skipped"
          ? "skipped"
          : `${this.#title} (${event.status}, ${event.seconds.toFixed(1)} s)`;
        this.#bar.update(event.cell, detail);
        if (event.cache !== undefined) this.caches.push(`cell ${event.cell}: ${event.cache}`);
        break;
      }
    }
  }

  /** Ends the view. */
  end(): void {
    this.#bar.finish();
  }
}
