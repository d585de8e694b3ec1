// Which names a cell may change, and how its definitions are restored without running it.

import { cellNames } from "../cell_names.ts";
import { parseCell } from "../cell_source.ts";

// deno-lint-ignore no-explicit-any
type Node = any;

/** A cell, divided into what is run again and what is restored. */
export interface CellParts {
  /** Imports, functions, classes, enums and types: text that is run again. */
  definitions: string;
  /** Variables that are restored, by how they are declared. */
  variables: Map<string, "let" | "const" | "var">;
  /** Names that the definitions declare. */
  defined: Set<string>;
}

/** Divides a cell into these parts. */
export function partsOf(source: string): CellParts {
  const parts: CellParts = { definitions: "", variables: new Map(), defined: new Set() };
  const take = (node: Node) => parts.definitions += `${source.slice(node.start, node.end)}\n`;
  const names = new Set(cellNames(source).declared.map(({ name }) => name));
  const { program, expression } = parseCell(source);
  for (const statement of expression ? [] : program.body) {
    if (/^(Import|Function|Class|TS\w+)Declaration$|^TSDeclareFunction$/.test(statement.type)) {
      take(statement);
    } else if (statement.type === "VariableDeclaration") {
      for (const one of statement.declarations) {
        if (/^(Arrow)?Function|^Class/.test(one.init?.type ?? "") && one.id.type === "Identifier") {
          parts.definitions += `${statement.kind} ${source.slice(one.start, one.end)};\n`;
        } else {
          const inside = cellNames(`${statement.kind} ${source.slice(one.start, one.end)}`);
          for (const { name } of inside.declared) parts.variables.set(name, statement.kind);
        }
      }
    }
  }
  for (const name of names) if (!parts.variables.has(name)) parts.defined.add(name);
  return parts;
}

/**
 * Names of earlier cells that a cell may change: those that it uses, and those that the functions
 * it uses may change.
 *
 * @param source The cell's code.
 * @param earlier The code of the cells before it that have run.
 * @returns Variables, with whether they can be reassigned.
 */
export function reachedNames(source: string, earlier: readonly string[]): Map<string, boolean> {
  const variables = new Map<string, boolean>();
  /** The names that a definition uses. */
  const leads = new Map<string, string[]>();
  for (const code of earlier) {
    const { declared } = cellNames(code);
    const parts = partsOf(code);
    const used = cellNames(parts.definitions).used;
    for (const { name, variable } of declared) {
      if (parts.variables.has(name)) {
        variables.set(name, variable);
        leads.delete(name);
      } else {
        leads.set(name, used);
        variables.delete(name);
      }
    }
  }
  const own = partsOf(source);
  const reached = new Map<string, boolean>();
  const seen = new Set<string>();
  const pending = cellNames(source).used.filter((name) => !own.variables.has(name));
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const variable = variables.get(name);
    if (variable !== undefined) reached.set(name, variable);
    pending.push(...leads.get(name) ?? []);
  }
  return reached;
}
