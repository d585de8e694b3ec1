/**
 * Cells as modules for the compiler. A module imports what its cell uses: an instructor's cell and a test from other
 * cells of the instructor's first, so that no answer changes the meaning of what is asked.
 *
 * @module
 */

import MagicString from "magic-string";
import { resolve } from "@std/path/resolve";
import { toFileUrl } from "@std/path/to-file-url";
import { cellNames } from "../../runtime/cell_names.ts";
import { blankExports, parseCell } from "../../runtime/cell_source.ts";
import { parseTypeScript, usesJsx } from "../../runtime/parse_typescript.ts";
import { type TypeAssertions, visit } from "./assertions.ts";
import { type Escape, findEscapes } from "./escapes.ts";

// deno-lint-ignore no-explicit-any
type Node = any;

/** A code cell. */
export interface TypedCell {
  /** Its place in the notebook, from 0. */
  readonly index: number;
  readonly source: string;
  /** Whether it is the instructor's, so that students cannot change it. */
  readonly isLocked: boolean;
}

/** A module for the compiler. */
export interface CellModule {
  readonly file: string;
  readonly text: string;
  /** The modules that it imports. */
  readonly needs: readonly CellModule[];
  /** The cell; none for a test. */
  readonly cell?: TypedCell;
  /** What a student's cell asks the compiler to take on trust. */
  readonly escapes: readonly Escape[];
}

/** What a cell declares. */
interface Declared {
  /** Whether cells may assign to it. */
  readonly variable: boolean;
  /** Whether it is a type only. */
  readonly isType: boolean;
  /** The import that it comes from: others import it from there too. */
  readonly imported?: string;
}

interface ReadCell extends TypedCell {
  readonly declared: ReadonlyMap<string, Declared>;
  readonly used: readonly string[];
  module?: CellModule;
}

/** Lines before a cell's own. */
export const LINES_BEFORE = 1;

/** The modules of a notebook's cells, made as they are needed. */
export class TypeProgram {
  readonly #cells: readonly ReadCell[];
  readonly #fromStudents: ReadonlySet<string>;
  readonly #folder: string;

  /**
   * @param cells The code cells, in order.
   * @param fromStudents Names that tests and instructor's cells may take from students' cells.
   * @param cwd The notebook's folder, from which cells import.
   */
  constructor(cells: readonly TypedCell[], fromStudents: ReadonlySet<string>, cwd: string) {
    this.#folder = `${toFileUrl(resolve(cwd)).href}/`;
    this.#cells = cells.map((cell) => readCell(cell, this.#folder));
    this.#fromStudents = fromStudents;
  }

  /**
   * Makes the module that checks a test's assertions.
   *
   * @param file Its name. @param assertions What is asserted. @param index The test's place in the notebook, from 0.
   */
  test(file: string, { pairs, declarations }: TypeAssertions, index: number): CellModule {
    const types = pairs.map(([expected, got]) => `[$Exact<${expected}\n, ${got}\n>]`);
    const names = cellNames(`${declarations}\ntype $Types = [${types.join()}];`);
    const { head, needs } = this.#imports(
      [...names.used, ...names.assigned],
      (name) => this.#instructors(name, index),
    );
    const checks = types.map((type, i) => `const $type_${i}: ${type} = [true];`);
    const text = [head, EXACT, declarations, ...checks, "export {};"].join("\n");
    return { file, text, needs, escapes: [] };
  }

  /** Where an instructor's cell or a test has a name from: a student's cell must have run before it. */
  #instructors(name: string, index: number): ReadCell | undefined {
    const declares = ({ declared }: ReadCell) => declared.has(name);
    const own = this.#cells.findLast((cell) => cell.isLocked && declares(cell));
    if (own !== undefined || !this.#fromStudents.has(name)) return own;
    return this.#cells.findLast((cell) => cell.index < index && !cell.isLocked && declares(cell));
  }

  #imports(names: readonly string[], ownerOf: (name: string) => ReadCell | undefined) {
    const needs = new Set<CellModule>();
    const lines: string[] = [];
    for (const name of new Set(names)) {
      const owner = ownerOf(name);
      if (owner === undefined) continue;
      const { imported, variable } = owner.declared.get(name)!;
      // A student's import may come from anywhere, which the module of its cell says.
      if (imported === undefined || !owner.isLocked) needs.add(this.#moduleOf(owner));
      const from = `"./${fileOf(owner)}"`;
      if (imported !== undefined) lines.push(imported);
      // Not an import, because cells may assign to the name.
      else if (variable) lines.push(`declare let ${name}: typeof import(${from}).${name};`);
      else lines.push(`import { ${name} } from ${from};`);
    }
    return { head: lines.join(" "), needs: [...needs] };
  }

  #moduleOf(cell: ReadCell): CellModule {
    if (cell.module !== undefined) return cell.module;
    const { source, isLocked, declared } = cell;
    const at = this.#cells.indexOf(cell);
    const file = fileOf(cell);
    // Cells may need each other.
    const needs: CellModule[] = [];
    const module = cell.module = { file, text: "", needs, cell, escapes: [] as Escape[] };
    const wanted = cell.used.filter((name) => !declared.has(name));
    const { head, needs: imported } = this.#imports(wanted, (name) => {
      if (isLocked) return this.#instructors(name, cell.index);
      return this.#cells.slice(0, at).findLast((one) => one.declared.has(name));
    });
    needs.push(...imported);
    const { code, escapes } = this.#code(source);
    const exported = (types: boolean) =>
      [...declared].filter(([, { isType, imported }]) => !imported && isType === types)
        .map(([name]) => name).join(", ");
    const text = `${head}\n${code}\n;export { ${exported(false)} }; export type { ${
      exported(true)
    } };`;
    return Object.assign(module, { text, escapes: isLocked ? [] : escapes });
  }

  /** A cell's text without comments, in which imports of files mean those of the notebook's folder. */
  #code(source: string): { code: string; escapes: readonly Escape[] } {
    let parsed;
    try {
      parsed = parseCell(source);
    } catch {
      return { code: source, escapes: [] }; // The compiler says what is wrong with it.
    }
    if (parsed.expression) return { code: `(${source}\n)`, escapes: findEscapes(parsed.program) };
    const edits = new MagicString(blankExports(source, parsed.exports));
    const file = parseTypeScript(source);
    // Some are orders to the compiler.
    for (const { start, end } of (file.comments ?? []) as Node[]) {
      edits.overwrite(start, end, source.slice(start, end).replace(/[^\n]/g, " "));
    }
    visit(file.program, (node) => {
      const from = node.source ?? (node.type === "TSImportType" ? node.argument : undefined);
      const literal = from?.literal ?? from;
      if (typeof literal?.value !== "string") return;
      edits.overwrite(literal.start, literal.end, specifier(literal.value, this.#folder));
    });
    return { code: edits.toString(), escapes: findEscapes(file.program) };
  }
}

const EXACT = "type $Exact<A, B> = (<T>() => T extends A ? 1 : 2) extends " +
  "(<T>() => T extends B ? 1 : 2) ? true : { expected: A; got: B };";

function fileOf({ index, source }: TypedCell): string {
  return `cell_${index + 1}.${usesJsx(source) ? "tsx" : "ts"}`;
}

function readCell(cell: TypedCell, folder: string): ReadCell {
  try {
    const { declared, used, assigned } = cellNames(cell.source);
    const { program } = parseCell(cell.source);
    const types = new Set<string>();
    const imports = new Map<string, string>();
    for (const node of program.body) {
      if (/^TS(?:TypeAlias|Interface)Declaration$/.test(node.type)) types.add(node.id.name);
      if (node.type !== "ImportDeclaration") continue;
      for (const one of node.specifiers) {
        imports.set(one.local.name, importOf(one, node, cell.source, folder));
      }
    }
    const names = declared.map(({ name, variable }): [string, Declared] => [name, {
      variable,
      isType: types.has(name),
      imported: imports.get(name),
    }]);
    return { ...cell, declared: new Map(names), used: [...used, ...assigned] };
  } catch {
    return { ...cell, declared: new Map(), used: [] };
  }
}

/** The import of one name. */
function importOf(one: Node, { importKind, source }: Node, text: string, folder: string): string {
  const from = specifier(source.value, folder);
  const type = importKind === "type" || one.importKind === "type" ? "type " : "";
  const { name } = one.local;
  if (one.type === "ImportDefaultSpecifier") return `import ${type}${name} from ${from};`;
  if (one.type === "ImportNamespaceSpecifier") return `import ${type}* as ${name} from ${from};`;
  const { start, end } = one.imported;
  return `import ${type}{ ${text.slice(start, end)} as ${name} } from ${from};`;
}

/** A module specifier as the notebook's folder has it, in quotes. */
function specifier(value: string, folder: string): string {
  return JSON.stringify(/^\.{1,2}\//.test(value) ? new URL(value, folder).href : value);
}

/** A module and all that it needs. */
export function withNeeds(module: CellModule): CellModule[] {
  const found = new Set<CellModule>();
  const add = (one: CellModule) => {
    if (found.has(one)) return;
    found.add(one);
    one.needs.forEach(add);
  };
  add(module);
  return [...found];
}
