// Types as an item of a rubric: the compiler says whether an answer has them, and cannot be talked out of it.

import { assertEquals, assertMatch } from "@std/assert";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { proveRelease } from "../../lib/grade/prove_release.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { restoreSubmission } from "../../lib/grade/restore.ts";
import { readTypeAssertions } from "../../lib/grade/types/assertions.ts";
import { TypeTests } from "../../lib/grade/types/type_tests.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { answer, book, type BookCell, locked, test } from "./book.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : `, without a sandbox (${fault})`;
const sandbox = fault === undefined ? { memory: 2048, disk: 64 } : undefined;
const seconds = 60;

const SETUP: BookCell = [
  "code",
  'import { assertType } from "tunebook/course";\n' +
  "type Row = number[];\ntype Matrix = Row[];\ninterface Point { x: number; y: number }",
  locked("setup"),
];

/** Why one answer fails one test's types; undefined if it does not. */
async function typeFault(
  given: string,
  asked: string,
  { solution = given, own = [] as string[] } = {},
): Promise<string | undefined> {
  const release = releaseNotebook(book(
    SETUP,
    ["code", solution, answer("given")],
    ["code", asked, test("types")],
  ));
  const submission = structuredClone(release.notebook);
  submission.cells[1]!.source = given;
  const [before, between, after] = own;
  const cellOf = (source: string, i: number) =>
    book(["code", source]).cells.map((cell) => ({ ...cell, id: `own${i}` }))[0]!;
  if (after !== undefined) submission.cells.push(cellOf(after, 2));
  if (between !== undefined) submission.cells.splice(2, 0, cellOf(between, 1));
  if (before !== undefined) submission.cells.splice(1, 0, cellOf(before, 0));
  const { notebook } = restoreSubmission(release, submission);
  const types = new TypeTests(release, notebook, { cwd: "/", sandbox, seconds });
  return (await types.faultOf("types"))?.message;
}

const TWICE = "function twice(x: number): number { return 2 * x; }";
const ASKED = "assertType<(x: number) => number, typeof twice>();";
const answered = { solution: TWICE };

Deno.test("type assertions are read from a test", () => {
  const source = `type Pair = [number, number];
    if (true) assertType<Pair, typeof pair>();
    assertType<IsExact<Pair, 1>>(false); // BEGIN HIDDEN TESTS
    assertType<A<B, C>, () => void>();`;
  assertEquals(readTypeAssertions(source), {
    pairs: [["Pair", "typeof pair"], ["false", "IsExact<Pair, 1>"], ["A<B, C>", "() => void"]],
    declarations: "type Pair = [number, number];",
  });
  assertEquals(readTypeAssertions("assertType(1);"), undefined);
  assertEquals(readTypeAssertions("assertType<"), undefined);
});

Deno.test(`types that are as asked pass${needs}`, async () => {
  assertEquals(await typeFault(TWICE, ASKED), undefined);
  const given = `import { sum } from "tunebook/tensor";
    // @ts-expect-error is not needed
    const det = (m: Matrix): number => m[0]![0]!; /* any */
    class Box<T> { constructor(readonly value: T) {} map<U>(f: (value: T) => U) { return new Box(f(this.value)); } }
    const model = { eval: () => 1 };
    model.eval();
    export const origin = { x: 0, y: 0 } satisfies Point;
    const names = ["a", "b"] as const;`.replaceAll("]!", "]").replace(
    'import { sum } from "tunebook/tensor";',
    "",
  );
  const asked = `type Names = readonly ["a", "b"];
    assertType<(m: Matrix) => number, typeof det>();
    assertType<Point, typeof origin>();
    assertType<Names, typeof names>();
    assertType<number, ReturnType<typeof det>>();
    assertType<Box<string>, ReturnType<typeof stringBox>>();
    assertType<Promise<string>, Promise<InstanceType<typeof Box<string>>["value"]>>();`;
  const own = ["", "const stringBox = () => new Box('a');"];
  const solution = `${given}\nconst stringBox = 1;`;
  assertEquals(await typeFault(given, asked, { solution, own }), undefined);
});

Deno.test(`a type that differs is named, and so is an error in the answer${needs}`, async () => {
  assertEquals(
    await typeFault("const twice = (x: string) => x.length;", ASKED),
    "The type is (x: string) => number: expected (x: number) => number",
  );
  assertEquals(
    await typeFault("\nfunction twice(x: number): number {\n  return 'x';\n}", ASKED),
    "Cell 2, line 3: TS2322: Type 'string' is not assignable to type 'number'",
  );
  assertMatch((await typeFault("const other = 1;", ASKED, answered))!, /Cannot find name 'twice'/);
});

/** Answers that are not of the type, and what they try. */
const ATTACKS: Record<string, [given: string, own?: string[], asked?: string]> = {
  "any as the whole type": ["const twice: any = 1;"],
  "any in a parameter": ["function twice(x: any): number { return x; }"],
  "any without being written": ["function twice(x: number) { return JSON.parse('1'); }"],
  "any by leaving a type out": ["function twice(x): number { return x; }"],
  "@ts-ignore": ["function twice(x: number): number {\n  // @ts-ignore\n  return 'x';\n}"],
  "@ts-expect-error": [
    "function twice(x: number): number {\n  /* @ts-expect-error */\n  return 'x';\n}",
  ],
  "@ts-nocheck": ["// @ts-nocheck\nfunction twice(x: number): number { return 'x'; }"],
  "as": ["const twice = ((x: string) => x) as unknown as (x: number) => number;"],
  "an assertion in front": ["const twice = <(x: number) => number> <unknown> 1;"],
  "not null": ["function twice(x: number): number { return null!; }"],
  "assigned later": ["let twice!: (x: number) => number;"],
  "a declaration without code": ["declare function twice(x: number): number;"],
  "an escape in a cell that the answer uses": [
    "const twice = (x: number): number => helper(x);",
    ["const helper = (x: number) => 'x' as any as number;"],
  ],
  "a type of the instructor's declared again": [
    "type Row = any;\nconst twice = (m: Matrix): number => 1;",
    [],
    "assertType<(m: number[][]) => string, typeof twice>();",
  ],
  "a type of the instructor's declared again, before": [
    "const twice = (row: string): number => 1;",
    ["type Row = string; type Point = string;", "type Matrix = string;"],
    "assertType<(row: Row) => number, typeof twice>();",
  ],
  "a helper type of the language's": [
    "const twice = (x: string): string => x;",
    ["type ReturnType<T> = number; type Promise<T> = string;"],
    "assertType<number, ReturnType<typeof twice>>();",
  ],
  "the type comes after the test": [
    "function twice(x: string) { return x; }",
    ["", "", TWICE],
  ],
  "the assertion itself": [
    "const twice = (x: string): string => x;",
    ["function assertType<A, B>() {}", "type $Exact<A, B> = true;"],
  ],
  "an interface merged into a class": [
    "class Twice { x = 1; }\ninterface Twice { of(x: number): number }\nconst twice = (x: number) => new Twice().of(x);",
  ],
  "an interface of the language's changed": [
    "declare global { interface String { twice: number } }\nconst twice = (x: number) => ''.twice;",
  ],
  "a module changed": [
    'declare module "./cell_1.ts" { interface Point { z: 1 } }\nconst twice = (x: number) => x;',
  ],
  "a namespace merged into a function": [
    "const twice = (x: number) => f.value;\nfunction f() {}\nnamespace f { export let value: number; }",
  ],
  "a module of text": [
    `import { twice } from "data:application/typescript,${
      encodeURIComponent("export declare const twice: (x: number) => number;")
    }";`,
  ],
  "a module of text as a type": [
    'const twice = (x: number) => undefined as never as import("data:application/typescript,export type T = number").T;',
  ],
  "a file of the student's own": [
    'import { twice } from "../student/mine.ts";',
  ],
  "a function of text": ["const twice: (x: number) => number = eval('(x) => String(x)');"],
  "a function of text, by its class": [
    "const twice = new Function('x', 'return x') satisfies unknown;",
  ],
  "a module that is computed": [
    "const twice: (x: number) => number = (await import(['./', 'm.ts'].join(''))).twice;",
  ],
  "a type that never ends": [
    "type Long<T extends unknown[]> = T['length'] extends 5000 ? T : Long<[...T, 1]>;\nconst twice = (x: number): Long<[]>['length'] => 5000;",
  ],
};

for (const [name, [given, own, asked = ASKED]] of Object.entries(ATTACKS)) {
  Deno.test(`an answer without the type does not pass: ${name}${needs}`, async () => {
    const message = await typeFault(given, asked, { ...answered, own });
    assertMatch(
      message ?? "it passes",
      /TS\d+|takes? a type on trust|take a type on trust|The type is/,
    );
  });
}

Deno.test(`a rubric's types give points, are proved, and stay hidden${needs}`, async () => {
  const source = book(
    SETUP,
    ["code", `// BEGIN SOLUTION\n${TWICE}\n// END SOLUTION`, answer("twice")],
    ["code", "if (await twice(2) !== 4) throw new Error('no');", test("works")],
    ["code", `// BEGIN HIDDEN TESTS\n${ASKED}\n// END HIDDEN TESTS`, test("types", 2)],
  );
  const options = { sandbox: fault === undefined };
  assertEquals(await proveRelease(source, options), []);
  const release = releaseNotebook(source);
  const submission = structuredClone(release.notebook);
  submission.cells[1]!.source = "const twice = (x: any) => 2 * x;";
  const { verdicts } = await gradeSubmission(release, submission, options);
  assertEquals(verdicts.map(({ status, points, hidden }) => [status, points, hidden]), [
    ["passed", 1, undefined],
    ["failed", 0, true],
  ]);
  assertMatch(verdicts[1]!.message!, /^Cell 2, line 1: "any" makes/);
});
