// What the command hands to the grading room: how values cross, and whether there is a sandbox.

import { sandboxFault } from "../../runtime/sandbox/outer.ts";

/** Modules whose values cross between a test and the student's code, beside plain ones. */
export const CODECS: readonly string[] = [new URL("./tensor_codec.ts", import.meta.url).href];

/**
 * Whether to grade in a sandbox.
 *
 * @param options Whether the user has asked to do without one.
 * @throws {Error} If this system cannot build one, and the user has not.
 */
export async function sandboxFor({ unsafe }: { unsafe: boolean }): Promise<boolean> {
  if (unsafe) {
    console.error("Without a sandbox: students' code can read, write and send all that you can");
    return false;
  }
  const fault = await sandboxFault();
  if (fault === undefined) return true;
  throw new Error(
    `${fault}; grade in a container instead, or give --unsafe to run students' code with all of your rights`,
  );
}
