// Converts a kernel's output messages to a cell's outputs, as clients do.

import type { CellError } from "./cell_error.ts";
import type { DisplayDataOutput, ExecuteResultOutput, Output } from "./notebook.ts";

/** An output message, as the Jupyter protocol's iopub channel carries it. */
export interface OutputMessage {
  /** The type of the message. */
  type:
    | "stream"
    | "display_data"
    | "update_display_data"
    | "execute_result"
    | "clear_output"
    | "error";
  // deno-lint-ignore no-explicit-any
  /** The content of the message. */
  content: any;
}

/** An error as an output message. */
export function errorMessage(error: CellError): OutputMessage {
  const { name, message, traceback } = error;
  return { type: "error", content: { ename: name, evalue: message, traceback } };
}

/** The displays that later messages may update, by display id; shared by a whole session. */
export type Displays = Map<string, (DisplayDataOutput | ExecuteResultOutput)[]>;

/** Collects a cell's outputs. */
export class OutputCollector {
  /** The outputs so far; changed in place. */
  readonly outputs: Output[];
  #displays: Displays;
  #clearNext = false;

  /**
   * @param displays The session's displays: an update also reaches outputs of earlier cells.
   * @param outputs Where outputs are collected.
   */
  constructor(displays: Displays, outputs: Output[] = []) {
    this.#displays = displays;
    this.outputs = outputs;
  }

  /**
   * Applies a message: joins text to the previous stream output, updates displays, clears.
   *
   * @param message The message.
   * @param executionCount The execution count for a result.
   */
  add({ type, content }: OutputMessage, executionCount: number | null): void {
    if (type === "update_display_data") {
      for (const display of this.#displays.get(content.transient?.display_id) ?? []) {
        display.data = content.data ?? {};
        display.metadata = content.metadata ?? {};
      }
      return;
    }
    if (type === "clear_output") {
      if (content.wait) this.#clearNext = true;
      else this.#clear();
      return;
    }
    if (this.#clearNext) this.#clear();
    switch (type) {
      case "stream": {
        const { name, text } = content;
        const last = this.outputs.at(-1);
        if (last?.output_type === "stream" && last.name === name) last.text += text;
        else this.outputs.push({ output_type: "stream", name, text });
        break;
      }
      case "display_data":
        this.#display({
          output_type: "display_data",
          data: content.data ?? {},
          metadata: content.metadata ?? {},
        }, content.transient?.display_id);
        break;
      case "execute_result":
        this.#display({
          output_type: "execute_result",
          execution_count: executionCount,
          data: content.data ?? {},
          metadata: content.metadata ?? {},
        }, content.transient?.display_id);
        break;
      case "error":
        this.outputs.push({
          output_type: "error",
          ename: content.ename,
          evalue: content.evalue,
          traceback: content.traceback,
        });
        break;
    }
  }

  #display(output: DisplayDataOutput | ExecuteResultOutput, id: string | undefined) {
    this.outputs.push(output);
    if (id === undefined) return;
    const known = this.#displays.get(id);
    if (known === undefined) this.#displays.set(id, [output]);
    else known.push(output);
  }

  #clear() {
    this.#clearNext = false;
    this.outputs.length = 0;
  }
}

/** Whether an output is the Jupyter kernel's note on a cell, rather than the cell's own. */
export function isNote(output: Output): boolean {
  const { tunebook } = "metadata" in output ? output.metadata : {};
  return (tunebook as { note?: unknown } | undefined)?.note === true;
}
