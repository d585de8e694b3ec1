// Finds a Python with the packages that a test wants to compare with.

/** A Python for tests: how to run a script in it, and whether it has what is needed. */
export interface Python {
  /** Whether there is one that has all the modules. */
  found: boolean;
  /** For the test's name: empty, or why it is skipped and how to enable it. */
  needs: string;
  /** Runs a script with arguments; throws with its error output if it fails. */
  run(script: string, ...args: string[]): Promise<string>;
}

/**
 * Looks for the Python that `TUNEBOOK_PYTHON` names and for modules in it.
 *
 * @param modules Names as pip knows them, by the name of the module to import
 */
export function findPython(modules: Record<string, string>): Python {
  const command = Deno.env.get("TUNEBOOK_PYTHON");
  const packages = Object.values(modules).join(" ");
  const needs = ` (needs TUNEBOOK_PYTHON=python of an environment with: pip install ${packages})`;
  const run = async (script: string, ...args: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command(command!, {
      args: ["-c", script, ...args],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  let found = false;
  if (command) {
    try {
      found = new Deno.Command(command, {
        args: ["-c", `import ${Object.keys(modules).join(", ")}`],
        stderr: "null",
        stdout: "null",
      }).outputSync().success;
    } catch {
      // no such program: not found
    }
  }
  return { found, needs: found ? "" : needs, run };
}
