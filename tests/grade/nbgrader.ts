/** Real nbgrader, for tests: it runs on a course folder with the kernel of this checkout. */

import { fromFileUrl } from "@std/path";
import { installKernel } from "../../lib/runtime/jupyter/install.ts";
import { findPython, type Python } from "../support.ts";

/** The Python that has nbgrader, or why there is none. */
export const nbgrader: Python = findPython("nbgrader");

/** What nbgrader did. */
export interface NbgraderRun {
  /** What each step said. */
  readonly said: Readonly<
    Record<string, { readonly success: boolean; readonly log: string; readonly seconds: number }>
  >;
  /** The scores in its gradebook. */
  readonly scores: readonly {
    readonly assignment: string;
    readonly notebook: string;
    readonly student: string;
    readonly gradeId: string;
    /** Null where a person has to mark. */
    readonly points: number | null;
  }[];
}

/**
 * Runs steps of nbgrader in one process: it takes seconds to start.
 *
 * @param course The course folder, with its `nbgrader_config.py`.
 * @param steps As `nbgrader_course.py` takes them.
 */
export async function runNbgrader(course: string, ...steps: string[]): Promise<NbgraderRun> {
  const prefix = await Deno.makeTempDir({ prefix: "tunebook-kernel-" });
  try {
    await installKernel({ prefix });
    const stock = `${prefix}/share/jupyter/kernels/deno`;
    await Deno.mkdir(stock, { recursive: true });
    await Deno.writeTextFile(
      `${stock}/kernel.json`,
      JSON.stringify({
        argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
        display_name: "Deno",
        language: "typescript",
      }),
    );
    const script = fromFileUrl(new URL("nbgrader_course.py", import.meta.url));
    const { success, stdout, stderr } = await new Deno.Command(nbgrader.path, {
      args: [script, course, ...steps],
      env: {
        JUPYTER_PATH: `${prefix}/share/jupyter`,
        JUPYTER_RUNTIME_DIR: `${prefix}/runtime`,
        // No settings of the user's.
        JUPYTER_CONFIG_DIR: `${prefix}/config`,
      },
    }).output();
    if (!success) throw new Error(`nbgrader failed: ${new TextDecoder().decode(stderr)}`);
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(prefix, { recursive: true });
  }
}

/** The folder of nbgrader's own example course. */
export async function quickstartFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(nbgrader.path, {
    args: ["-c", "import nbgrader, os; print(os.path.dirname(nbgrader.__file__))"],
  }).output();
  return `${new TextDecoder().decode(stdout).trim()}/docs/source/user_guide`;
}
