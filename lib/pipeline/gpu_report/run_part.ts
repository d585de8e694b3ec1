/**
 * Answers one question of a check of a GPU, named by the argument, in a process of its own: what it finds is printed as it is
 * found, so that it is not lost should the driver end the process.
 *
 * @module
 */

import { GPU_PARTS } from "./parts.ts";
import type { GpuMessage } from "./report.ts";

if (import.meta.main) {
  const print = (message: GpuMessage) => console.log(JSON.stringify(message));
  try {
    await GPU_PARTS[Deno.args[0]].run({
      doing: (what) => print({ kind: "doing", what }),
      row: (cells) => print({ kind: "row", cells }),
      note: (text) => print({ kind: "note", text }),
    });
    print({ kind: "done" });
  } catch (error) {
    print({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
  Deno.exit(0); // a lost device must not keep the process
}
