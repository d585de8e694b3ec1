// Cells as modules for the language server: one virtual module per run, in the order of the runs,
// because a cell may redeclare a name with another type. The first line of a module declares what
// it uses from earlier cells.

import { toFileUrl } from "@std/path/to-file-url";
import { type CellNames, cellNames } from "../cell_names.ts";
import { blankExports, parseCell } from "../cell_source.ts";
import { narrowingOf } from "./narrowing.ts";
import { usesJsx } from "../parse_typescript.ts";

/** A cell as a module. */
export interface CellModule {
  /** Its URI: in the notebook's folder, under a name that no file has. */
  uri: string;
  /** Its text; the cell's own lines start at the second. */
  text: string;
  /** The modules that it imports. */
  needs: string[];
}

/** Where a name comes from. */
interface Origin {
  file: string;
  variable: boolean;
  /** Whether it is declared by `const`, `let` or `var`. */
  value: boolean;
  /** The file of the cell that narrowed its type last. */
  narrowed?: string;
}

/** The name under which a module exports a variable with the type that it has at the module's end. */
const narrowName = (name: string) => `$tunebook_${name}`;

/** The number of lines before the cell's own. */
export const LINES_BEFORE = 1;

/** The modules of a session's cells. */
export class CellModules {
  #folder: string;
  #numbers: number;
  #origins = new Map<string, Origin>();
  #modules = new Map<string, CellModule>();

  /** @param folder The folder of the notebook, from which cells import. @param numbers How many modules there are already. */
  constructor(folder: string, numbers = 0) {
    this.#numbers = numbers;
    this.#folder = toFileUrl(folder).href.replace(/\/$/, "");
  }

  /** The modules that define the current names, and their dependencies. */
  get live(): CellModule[] {
    const live = new Map<string, CellModule>();
    const add = (file: string) => {
      const module = this.#modules.get(file);
      if (module === undefined || live.has(file)) return;
      live.set(file, module);
      module.needs.forEach(add);
    };
    for (const { file, narrowed } of this.#origins.values()) {
      add(file);
      if (narrowed !== undefined) add(narrowed);
    }
    return [...live.values()];
  }

  /**
   * Adds a cell that is about to run.
   *
   * @returns Its module, and a function that removes it again.
   */
  add(source: string, names: CellNames): { module: CellModule; undo: () => void } {
    const kind = usesJsx(source) ? "tsx" : "ts";
    const file = `tunebook_cell_${++this.#numbers}.${kind}`;
    const module = this.#write(file, source, names, [...names.used, ...names.assigned]);
    const before = new Map(this.#origins);
    this.#modules.set(file, module);
    const { variables, narrowed } = narrowingOf(source);
    for (const { name, variable } of names.declared) {
      this.#origins.set(name, { file, variable, value: variables.has(name) });
    }
    for (const name of narrowed) {
      const origin = this.#origins.get(name);
      if (origin?.value) this.#origins.set(name, { ...origin, narrowed: file });
    }
    return { module, undo: () => this.#origins = before };
  }

  /** A module for code that is being typed, with all names that it may use. */
  scratch(source: string): CellModule {
    let names: CellNames;
    try {
      names = cellNames(source);
    } catch {
      // The code may be incomplete. A name that it redeclares must not be imported as well.
      const declared = [
        ...source.matchAll(/\b(?:let|const|var|function\*?|class|enum)\s+([\w$]+)/g),
      ]
        .map(([, name]) => ({ name, variable: false }));
      names = { declared, assigned: [], used: [] };
    }
    return this.#write(
      usesJsx(source) ? "tunebook_scratch.tsx" : "tunebook_scratch.ts",
      source,
      names,
      [...this.#origins.keys()],
    );
  }

  /** Forgets all names: the kernel has been restarted. */
  clear(): void {
    this.#origins.clear();
    this.#modules.clear();
  }

  /** Removes modules that are no longer needed and returns their URIs. */
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
      const { narrowed } = origin;
      if (narrowed !== undefined) needs.add(narrowed);
      if (origin.variable) {
        // Not an import, because cells may assign to the name.
        const declared = `typeof import("./${origin.file}").${name}`;
        variables.push(
          narrowed === undefined
            ? `declare let ${name}: ${declared};`
            : `let ${name}: ${declared} = null! as typeof import("./${narrowed}").${
              narrowName(name)
            };`,
        );
      } else if (narrowed !== undefined) {
        imports.set(narrowed, [
          ...imports.get(narrowed) ?? [],
          `${narrowName(name)} as ${name}`,
        ]);
      } else imports.set(origin.file, [...imports.get(origin.file) ?? [], name]);
    }
    const head = [
      ...[...imports].map(([from, list]) => `import { ${list.join(", ")} } from "./${from}";`),
      ...variables,
    ];
    const narrowing = narrowingOf(source);
    const narrows = [...narrowing.narrowed].filter((name) =>
      own.has(name) ? narrowing.variables.has(name) : this.#origins.get(name)?.value
    );
    const { own: code, open, close, pragmas } = asModule(source);
    const text = `${pragmas}${head.join(" ")}${open}\n${code}\n${close};${
      narrows.map((name) => `export const ${narrowName(name)} = ${name};`).join("")
    }export { ${[...own].join(", ")} };`;
    return { uri: `${this.#folder}/${file}`, text, needs: [...needs] };
  }
}

/**
 * A cell's text inside a module: an object literal needs parentheses, and exports are the module's own.
 * Comments that say how JSX is compiled come first.
 */
function asModule(source: string) {
  try {
    const { expression, exports, pragmas } = parseCell(source);
    const [open, close] = expression ? [" (", ")"] : ["", ""];
    return { own: blankExports(source, exports), open, close, pragmas: pragmas.join("") };
  } catch {
    return { own: source, open: "", close: "", pragmas: "" };
  }
}
