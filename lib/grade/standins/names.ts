/**
 * Where the names in a test come from: the instructor's own cells run in the examiner, the student's
 * names get stand-ins, and no name of the student's hides one of the language.
 *
 * @module
 */

import { cellNames } from "../../runtime/cell_names.ts";
import { parseCell } from "../../runtime/cell_source.ts";

/** A code cell as names are concerned. */
export interface NamedCell {
  /**
   * `"locked"` and `"test"`: the instructor's. `"open"`: a cell of the release that students may
   * change, answers included.
   */
  readonly kind: "locked" | "test" | "open";
  /** The text: the instructor's, with hidden tests. */
  readonly source: string;
  /** Whether it is an answer. */
  readonly isAnswer: boolean;
}

/** What a test needs before it runs. */
export interface TestNeeds {
  /** Names that get stand-ins. */
  readonly standIns: readonly string[];
  /**
   * The instructor's cells that run in the examiner, by their places in the list, in order: locked ones, and open ones
   * that declare no answer, as the release has them.
   */
  readonly helpers: readonly number[];
  /** Import statements of open cells, as the release has them, that run in the examiner. */
  readonly imports: readonly string[];
  /** Those stand-ins that are variables of open cells without an answer: students could change what is tested. */
  readonly unlocked: readonly string[];
}

interface ReadCell extends NamedCell {
  readonly declared: ReadonlySet<string>;
  /** Those of them that later cells may assign to. */
  readonly variables: ReadonlySet<string>;
  readonly used: readonly string[];
  /** Import statements by the names that they declare. */
  readonly imports: ReadonlyMap<string, string>;
}

/** The names of an assignment. */
export class AssignmentNames {
  readonly #cells: readonly ReadCell[];

  /** @param cells The release's code cells, in order. */
  constructor(cells: readonly NamedCell[]) {
    this.#cells = cells.map(readCell);
  }

  /**
   * Finds what a test needs.
   *
   * @param at The test's place among the cells.
   * @param submitted Names that the submission declares.
   */
  needsOf(at: number, submitted: ReadonlySet<string>): TestNeeds {
    const standIns = new Set<string>();
    const helpers = new Set<number>();
    const imports = new Set<string>();
    const unlocked = new Set<string>();
    const seen = new Set<string>();
    const visit = (name: string) => {
      if (seen.has(name)) return;
      seen.add(name);
      const addHelper = (helper: number) => {
        helpers.add(helper);
        for (const used of this.#cells[helper]!.used) visit(used);
      };
      const helper = this.#cells.findIndex(({ kind, declared }) =>
        kind === "locked" && declared.has(name)
      );
      if (helper >= 0) return addHelper(helper);
      const owner = this.#cells.slice(0, at).findLast(({ declared }) => declared.has(name)) ??
        this.#cells.slice(at).find(({ kind, declared }) => kind === "open" && declared.has(name));
      if (owner?.kind === "test") return;
      const statement = owner?.imports.get(name);
      if (statement !== undefined) imports.add(statement);
      else if (owner !== undefined || (submitted.has(name) && !isProtected(name))) {
        const isAnswered = owner?.isAnswer !== false ||
          this.#cells.some(({ isAnswer, declared }) => isAnswer && declared.has(name));
        if (!isAnswered && !owner.variables.has(name)) return addHelper(this.#cells.indexOf(owner));
        standIns.add(name);
        if (!isAnswered) unlocked.add(name);
      }
    };
    for (const name of this.#cells[at]!.used) visit(name);
    return {
      standIns: [...standIns],
      helpers: [...helpers].sort((a, b) => a - b),
      imports: [...imports],
      unlocked: [...unlocked],
    };
  }

  /**
   * Finds the tests that declare what a test uses, and those that declare what these use.
   *
   * @param at The test's place among the cells.
   * @returns Their places.
   */
  testsBefore(at: number): Set<number> {
    const found = new Set<number>();
    const visit = (place: number) => {
      for (const name of this.#cells[place]!.used) {
        const owner = this.#cells.slice(0, place).findLastIndex(({ declared }) =>
          declared.has(name)
        );
        if (this.#cells[owner]?.kind !== "test" || found.has(owner)) continue;
        found.add(owner);
        visit(owner);
      }
    };
    visit(at);
    return found;
  }

  /** The names that a test declares for the tests after it. */
  declaredBy(at: number): ReadonlySet<string> {
    return this.#cells[at]!.declared;
  }
}

/**
 * Finds the cells on which a cell depends through names, itself included.
 *
 * @param sources The cells' texts, in order.
 * @param at The cell's place.
 * @returns Their texts; every declaration of a name counts.
 */
export function dependenciesOf(sources: readonly string[], at: number): string[] {
  const cells = sources.map((source) => readCell({ kind: "open", source, isAnswer: false }));
  const found = new Set([at]);
  for (const place of found) {
    for (const name of cells[place]!.used) {
      for (const [other, { declared }] of cells.entries()) if (declared.has(name)) found.add(other);
    }
  }
  return [...found].map((place) => sources[place]!);
}

/** Globals that no test relies on, and that are good names for an answer. */
const FREE = ["alert", "close", "closed", "confirm", "location", "name", "prompt"];

/** Whether a name is the language's, so that a submission cannot give it to a test. */
function isProtected(name: string): boolean {
  return name in globalThis && !FREE.includes(name);
}

function readCell(cell: NamedCell): ReadCell {
  try {
    const { declared, used, assigned } = cellNames(cell.source);
    return {
      ...cell,
      declared: new Set(declared.map(({ name }) => name)),
      variables: new Set(declared.filter(({ variable }) => variable).map(({ name }) => name)),
      used: [...used, ...assigned],
      imports: importsOf(cell.source),
    };
  } catch {
    // It fails when it runs.
    return { ...cell, declared: new Set(), variables: new Set(), used: [], imports: new Map() };
  }
}

function importsOf(source: string): Map<string, string> {
  const { program, expression } = parseCell(source);
  const imports = new Map<string, string>();
  if (expression) return imports;
  for (const statement of program.body) {
    if (statement.type !== "ImportDeclaration") continue;
    const text = source.slice(statement.start, statement.end);
    for (const { local } of statement.specifiers) imports.set(local.name, text);
  }
  return imports;
}

/**
 * Reads the names that cells declare.
 *
 * @param sources The cells' texts; those with syntax errors declare none.
 */
export function declaredNames(sources: Iterable<string>): Set<string> {
  const names = new Set<string>();
  for (const source of sources) {
    for (const name of readCell({ kind: "open", source, isAnswer: true }).declared) names.add(name);
  }
  return names;
}

/**
 * Finds the name from which a cell's last value comes, if that is a call, a member or the name
 * itself: `f` for `await f(2)`.
 *
 * @param source The cell's text.
 */
export function lastValueRoot(source: string): string | undefined {
  let program;
  try {
    ({ program } = parseCell(source));
  } catch {
    return undefined;
  }
  let node = program.body.at(-1);
  if (node?.type !== "ExpressionStatement") return undefined;
  node = node.expression;
  while (node) {
    if (node.type === "Identifier") return node.name;
    node = node.type === "AwaitExpression"
      ? node.argument
      : /^(?:Optional)?CallExpression$|^NewExpression$/.test(node.type)
      ? node.callee
      : /^(?:Optional)?MemberExpression$/.test(node.type)
      ? node.object
      : /^TS(?:As|NonNull|Satisfies)Expression$|^ParenthesizedExpression$/.test(node.type)
      ? node.expression
      : undefined;
  }
  return undefined;
}
