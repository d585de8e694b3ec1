// Shows a run as it goes on: the cell that runs, with the last line that it has put out.

import { firstLine } from "../runtime/run_suite.ts";
import type { RunProgress } from "../runtime/runner.ts";
import { progress } from "./progress.ts";

/** Shows one notebook's run on standard error. */
export class RunView {
  #name: string;
  #several: boolean;
  #bar = progress("", 0, { terminal: false, write: () => {} });
  #title = "";
  #line = "";
  /** What became of cells whose results are kept. */
  readonly caches: string[] = [];

  /** @param name The notebook's. @param several Whether others are shown too: no bar is drawn over, then. */
  constructor(name: string, several = false) {
    this.#name = name;
    this.#several = several;
  }

  /** Takes what the run tells. */
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
        // A cell may wait for ever for what has failed.
        const text = type === "error" ? `${content.ename}: ${content.evalue}` : content.text;
        this.#line = text.trimEnd().split(/[\r\n]/).at(-1) || this.#line;
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

  /** Ends it. */
  end(): void {
    this.#bar.finish();
  }
}
