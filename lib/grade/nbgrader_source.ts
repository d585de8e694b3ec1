/**
 * Notebooks of a course as its `nbgrader_config.py` means them: with its header and footer, and with nbgrader's usual
 * markers in place of the course's own.
 *
 * @module
 */

import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { type Notebook, readNotebook } from "../runtime/notebook.ts";
import { type Delimiter, NBGRADER_CONFIG, readNbgraderConfig } from "./nbgrader_config.ts";

/** What a course's configuration makes of each notebook. */
export interface NbgraderHabits {
  /** Stubs of its own: of code by language, and of text. */
  readonly stubs: { readonly code: Readonly<Record<string, string>>; readonly text?: string };
  /** Makes a notebook of `source` what it stands for. */
  apply(notebook: Notebook): Notebook;
}

const MARKERS: Readonly<Record<Delimiter, string>> = {
  beginSolution: "BEGIN SOLUTION",
  endSolution: "END SOLUTION",
  beginHiddenTests: "BEGIN HIDDEN TESTS",
  endHiddenTests: "END HIDDEN TESTS",
  beginMarkScheme: "BEGIN MARK SCHEME",
  endMarkScheme: "END MARK SCHEME",
};

/**
 * Reads the configuration of a course.
 *
 * @param folder The course folder; without a configuration, notebooks stay as they are.
 * @returns What it makes of notebooks.
 * @throws {SyntaxError} If it sets a header, footer, stub or delimiter by something else than a literal.
 */
export async function readNbgraderHabits(folder: string): Promise<NbgraderHabits> {
  const settings = readNbgraderConfig(await textOf(join(folder, NBGRADER_CONFIG)) ?? "");
  const [unread] = settings.unread;
  if (unread !== undefined) {
    throw new SyntaxError(
      `Cannot read ${NBGRADER_CONFIG}: "${unread}" is not a literal; write its value as it is`,
    );
  }
  const around = async (path: string | undefined) =>
    path === undefined ? [] : (await readNotebook(resolve(folder, path))).cells;
  const [header, footer] = [await around(settings.header), await around(settings.footer)];
  const { delimiters, codeStubs, textStub } = settings;
  const markers = Object.entries(delimiters).map(([name, delimiter]) =>
    [delimiter, MARKERS[name as Delimiter]] as const
  );
  return {
    stubs: { code: codeStubs, ...textStub !== undefined && { text: textStub } },
    apply(notebook) {
      const cells = structuredClone([...header, ...notebook.cells, ...footer]);
      const ids = new Set<string>();
      for (const [at, cell] of cells.entries()) {
        for (const [delimiter, marker] of markers) {
          cell.source = cell.source.split("\n").map((line) =>
            // The first one counts, and the line is taken out in any case.
            line.includes(delimiter) ? line.replace(delimiter, () => marker) : line
          ).join("\n");
        }
        // A cell of the header may have the id of one of the notebook's.
        if (cell.id !== undefined && ids.has(cell.id)) cell.id = `${cell.id.slice(0, 56)}-${at}`;
        if (cell.id !== undefined) ids.add(cell.id);
      }
      return { ...notebook, cells };
    },
  };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
