// Cells as modules for the language server: one virtual module a run, in the order of the runs, since a
// name may be declared again with another type. What comes from earlier cells stands in a first line.

import { toFileUrl } from "@std/path";
import { type CellNames, cellNames } from "../cell_names.ts";
import { parseCell } from "../cell_source.ts";

/** A cell as a module. */
export interface CellModule {
  /** Its address: in the notebook's folder, where no such file is. */
  uri: string;
  /** Its text; the cell's own lines are the second and those that follow. */
  text: string;
  /** The modules that it imports. */
  needs: string[];
}

/** Where a name comes from. */
interface Origin {
  file: string;
  variable: boolean;
}

/** The lines of a module before the cell's own. */
export const LINES_BEFORE = 1;

/** The modules of a session's cells. */
export class CellModules {
  #folder: string;
  #numbers = 0;
  #origins = new Map<string, Origin>();
  #modules = new Map<string, CellModule>();

  /** @param folder The notebook's folder, from which cells import. */
  constructor(folder: string) {
    this.#folder = toFileUrl(folder).href.replace(/\/$/, "");
  }

  /** The modules that present names come from, and those that these need. */
  get live(): CellModule[] {
    const live = new Map<string, CellModule>();
    const add = (file: string) => {
      const module = this.#modules.get(file);
      if (module === undefined || live.has(file)) return;
      live.set(file, module);
      module.needs.forEach(add);
    };
    for (const { file } of this.#origins.values()) add(file);
    return [...live.values()];
  }

  /**
   * Adds a cell that is run.
   *
   * @returns Its module, and a way to take it back.
   */
  add(source: string, names: CellNames): { module: CellModule; undo: () => void } {
    const file = `tunebook_cell_${++this.#numbers}.ts`;
    const module = this.#write(file, source, names, [...names.used, ...names.assigned]);
    const before = new Map(this.#origins);
    this.#modules.set(file, module);
    for (const { name, variable } of names.declared) this.#origins.set(name, { file, variable });
    return { module, undo: () => this.#origins = before };
  }

  /** Code that is being written, with all names that it may use. */
  scratch(source: string): CellModule {
    let names: CellNames;
    try {
      names = cellNames(source);
    } catch {
      // In the middle of writing; what is declared anew must not be imported too.
      const declared = [
        ...source.matchAll(/\b(?:let|const|var|function\*?|class|enum)\s+([\w$]+)/g),
      ]
        .map(([, name]) => ({ name, variable: false }));
      names = { declared, assigned: [], used: [] };
    }
    return this.#write("tunebook_scratch.ts", source, names, [...this.#origins.keys()]);
  }

  /** Forgets all names: the kernel has been started anew. */
  clear(): void {
    this.#origins.clear();
    this.#modules.clear();
  }

  /** Forgets modules that nothing needs any more; gives their addresses. */
  prune(): string[] {
    const live = new Set(this.live.map(({ uri }) => uri));
    const gone: string[] = [];
    for (const [file, { uri }] of this.#modules) {
      if (live.has(uri)) continue;
      this.#modules.delete(file);
      gone.push(uri);
    }
    return gone;
  }

  #write(file: string, source: string, names: CellNames, wanted: string[]): CellModule {
    const own = new Set(names.declared.map(({ name }) => name));
    const imports = new Map<string, string[]>();
    const variables: string[] = [];
    const needs = new Set<string>();
    for (const name of new Set(wanted)) {
      const origin = this.#origins.get(name);
      if (origin === undefined || own.has(name)) continue;
      needs.add(origin.file);
      if (origin.variable) {
        // An import could not be assigned to.
        variables.push(`declare let ${name}: typeof import("./${origin.file}").${name};`);
      } else imports.set(origin.file, [...imports.get(origin.file) ?? [], name]);
    }
    const head = [
      ...[...imports].map(([from, list]) => `import { ${list.join(", ")} } from "./${from}";`),
      ...variables,
    ];
    const [open, close] = isExpression(source) ? [" (", ")"] : ["", ""];
    const text = `${head.join(" ")}${open}\n${source}\n${close};export { ${[...own].join(", ")} };`;
    return { uri: `${this.#folder}/${file}`, text, needs: [...needs] };
  }
}

/** Whether a cell is an object, which stands in brackets where it is more than a cell. */
function isExpression(source: string): boolean {
  try {
    return parseCell(source).expression;
  } catch {
    return false;
  }
}
