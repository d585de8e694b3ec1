// Verdicts on submissions, honest ones and such as cannot be graded to the end.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  type CellVerdict,
  type Graded,
  type GradeOptions,
  gradeSubmission,
} from "../../lib/grade/autograde.ts";
import { proveRelease } from "../../lib/grade/prove_release.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import type { Notebook } from "../../lib/runtime/notebook.ts";
import { answer, book, type BookCell, locked, test, written } from "./book.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;

/** A solution between markers. */
const solution = (code: string) => `// BEGIN SOLUTION\n${code}\n// END SOLUTION`;
const hidden = (code: string) => `// BEGIN HIDDEN TESTS\n${code}\n// END HIDDEN TESTS`;

const SETUP = `import { assertEquals, assertRejects, assertThrows } from "@std/assert";
const close = async (f: (x: number) => number, x: number, y: number) => assertEquals(await f(x), y);`;

const SOURCE = book(
  ["code", SETUP, locked("setup")],
  ["code", solution("function twice(x: number) { return 2 * x; }"), answer("twice")],
  [
    "code",
    `assertEquals(await twice(2), 4);\n${hidden("assertEquals(await twice(-3), -6);")}`,
    test("test_twice", 2),
  ],
  ["code", solution("function half(x: number) { return x / 2; }"), answer("half")],
  ["code", "await close(half, 3, 1.5);", test("test_half", 1)],
  ["code", solution("const words = ['a', 'b', 'c'];"), answer("words")],
  [
    "code",
    "const found = ['a', 'b', 'c'].filter((word) => words.includes(word)).length;\n" +
    "({ points: found, message: `${found} of 3 words` });",
    test("test_words", 3),
  ],
  ["markdown", "Because.", written("why")],
);
const RELEASE = releaseNotebook(SOURCE);

/** The release with answers filled in. */
function submit(answers: Record<string, string>, release = RELEASE.notebook): Notebook {
  const notebook = structuredClone(release);
  for (const cell of notebook.cells) {
    const { grade_id } = (cell.metadata.nbgrader ?? {}) as { grade_id?: string };
    if (grade_id !== undefined && grade_id in answers) cell.source = answers[grade_id]!;
  }
  return notebook;
}

const GOOD = {
  twice: "function twice(x: number) { return 2 * x; }",
  half: "function half(x: number) { return x / 2; }",
  words: "const words = ['a', 'b', 'c'];",
  why: "It is so.",
};

const FAST: GradeOptions = { limits: { cellSeconds: 5, callSeconds: 2, testSeconds: 8 } };

const grade = (answers: Record<string, string>, options: GradeOptions = FAST) =>
  gradeSubmission(RELEASE, submit(answers), options);

const short = ({ verdicts }: Graded) =>
  verdicts.map(({ gradeId, points, status }) => `${gradeId} ${points} ${status}`);
const verdictOf = ({ verdicts }: Graded, id: string): CellVerdict =>
  verdicts.find(({ gradeId }) => gradeId === id)!;

function inSandbox(name: string, fn: () => Promise<void>) {
  Deno.test({ name: `${name}${needs}`, ignore: fault !== undefined, fn });
}

inSandbox("a good submission gets full marks, and its written answer waits", async () => {
  const graded = await grade(GOOD);
  assertEquals(short(graded), [
    "test_twice 2 passed",
    "test_half 1 passed",
    "test_words 3 passed",
    "why 0 manual",
  ]);
  assertEquals(graded.findings, []);
  assertEquals(graded.repeated, undefined);
});

inSandbox("wrong, raising and partly right answers score as they deserve", async () => {
  const graded = await grade({
    twice: "function twice(x: number) { return x === 2 ? 4 : 0; }",
    half: "function half(x: number) { throw new RangeError('no ' + x); }",
    words: "console.warn('careful'); const words = ['b', 'c'];",
  });
  assertEquals(short(graded), [
    "test_twice 0 failed",
    "test_half 0 failed",
    "test_words 2 partial",
    "why 0 failed",
  ]);
  assert(verdictOf(graded, "test_twice").hidden);
  assertMatch(verdictOf(graded, "test_half").message!, /RangeError: no 3/);
  assertEquals(verdictOf(graded, "test_half").hidden, undefined);
  assertEquals(verdictOf(graded, "test_words").message, "2 of 3 words");
});

inSandbox("the stub scores nothing", async () => {
  const graded = await grade({});
  assertEquals(graded.verdicts.map(({ points }) => points), [0, 0, 0, 0]);
});

inSandbox("a call that hangs, busy or waiting, costs its own test only", async () => {
  const graded = await grade({
    ...GOOD,
    twice: "async function twice(x: number) { await new Promise(() => {}); return x; }",
    half: "function half(x: number) { while (true) x++; }",
  });
  assertEquals(short(graded).slice(0, 3), [
    "test_twice 0 timeout",
    "test_half 0 timeout",
    "test_words 3 passed",
  ]);
  assertMatch(verdictOf(graded, "test_twice").message!, /"twice" did not return within 2 s/);
  assertEquals(graded.repeated, true);
});

inSandbox("a call that exits, and a cell that does, cost no more than they must", async () => {
  const graded = await grade({
    ...GOOD,
    twice: "function twice(x: number) { Deno.exit(0); }",
    words: "const words = ['a', 'b', 'c'];\nDeno.exit(0);",
  });
  assertEquals(short(graded).slice(0, 3), [
    "test_twice 0 crashed",
    "test_half 1 passed",
    "test_words 0 failed",
  ]);
});

inSandbox("too much output is a limit, and later tests still run", async () => {
  const graded = await grade({
    ...GOOD,
    twice: "function twice(x: number) { while (true) console.log('x'.repeat(1e6)); }",
  }, { limits: { ...FAST.limits, output: 4e6 } });
  assertEquals(short(graded).slice(0, 3), [
    "test_twice 0 limit",
    "test_half 1 passed",
    "test_words 3 passed",
  ]);
});

/** Grades one answer by one test. */
async function one(
  given: string,
  tested: string,
  before: BookCell[] = [],
): Promise<CellVerdict> {
  const source = book(
    ["code", SETUP, locked("setup")],
    ...before,
    ["code", given, answer("given")],
    ["code", tested, test("tested", 4)],
  );
  const release = releaseNotebook(source);
  const graded = await gradeSubmission(release, submit({ given }, release.notebook), {
    ...FAST,
    sandbox: fault === undefined,
  });
  return verdictOf(graded, "tested");
}

Deno.test("instances, classes, errors and iterators cross as handles", async () => {
  const verdict = await one(
    `class Account {
       balance = 0;
       constructor(start: number) { if (start < 0) throw new RangeError("negative"); this.balance = start; }
       deposit(x: number) { this.balance += x; return this; }
       static open() { return new Account(5); }
     }
     class Refused extends Error { override name = "Refused"; }
     function refuse() { throw new Refused("no"); }
     async function* count() { yield 1; yield 2; }
     const bank = { total: 3, add(x: number) { this.total += x; return this.total; } };
     const later = Promise.resolve(7);
     const owner = (account: Account) => account.balance;`,
    `const account = new Account(10);
     await account.deposit(5);
     assertEquals(await account.balance, 15);
     const same = await account.deposit(1);
     assertEquals(await same.balance, 16);
     assertEquals(account instanceof Account, true);
     assertEquals(await owner(account), 16);
     await assertRejects(async () => await new Account(-1), RangeError, "negative");
     assertEquals(await (await Account.open()).balance, 5);
     assertThrows(() => refuse(), Refused, "no");
     const seen = [];
     for await (const x of await count()) seen.push(x);
     assertEquals(seen, [1, 2]);
     assertEquals(await bank.add(2), 5);
     assertEquals(await bank.total, 5);
     assertEquals(await later, 7);`,
  );
  assertEquals([verdict.status, verdict.message], ["passed", undefined]);
});

Deno.test("a test runs as it does in the notebook, also if it awaits nothing", async () => {
  const verdict = await one(
    `function squares(n: number): number[] {
       if (n < 1) throw new RangeError("n must be at least 1");
       return Array.from({ length: n }, (_, i) => (i + 1) ** 2);
     }
     class Stack {
       items: number[] = [];
       top = 0;
       push(x: number) { this.items.push(x); this.top = x; return this; }
       get size() { return this.items.length; }
       *[Symbol.iterator]() { yield* this.items; }
     }
     function* twice(x: number) { yield x; yield x; }`,
    `assertEquals(squares(3), [1, 4, 9]);
     assertThrows(() => squares(0), RangeError, "at least 1");
     if (![1, 2, 3].every((n) => squares(n).length === n)) throw new Error("a wrong length");
     const stack = new Stack().push(1).push(2);
     assertEquals([stack.size, stack.top], [2, 2]);
     stack.top = 5;
     assertEquals(stack.top, 5);
     assertEquals([...stack], [1, 2]);
     for (const x of twice(7)) assertEquals(x, 7);`,
  );
  assertEquals([verdict.status, verdict.message], ["passed", undefined]);
});

Deno.test("a promise of the student's stays a promise: a test continues before it is settled", async () => {
  const verdict = await one(
    `class Queue {
       #items: number[] = [];
       #waiting: ((x: number) => void)[] = [];
       push(x: number) { const next = this.#waiting.shift(); next ? next(x) : this.#items.push(x); }
       async pull() {
         if (this.#items.length > 0) return this.#items.shift();
         return await new Promise((resolve) => this.#waiting.push(resolve));
       }
     }
     const refuse = async () => { await null; throw new RangeError("no"); };`,
    `const queue = new Queue();
     const pulled = queue.pull();
     assertEquals(pulled instanceof Promise, true);
     queue.push(3);
     assertEquals(await pulled, 3);
     await assertRejects(() => refuse(), RangeError, "no");
     queue.pull();`,
  );
  assertEquals([verdict.status, verdict.message], ["passed", undefined]);
});

Deno.test("values of further classes cross by the codecs that are handed in", async () => {
  const module = new URL("./fraction.ts", import.meta.url);
  const given = `const { Fraction } = await import(${JSON.stringify(module.href)});
    const half = (x: unknown) => new Fraction(x.over, 2 * x.under);`;
  const release = releaseNotebook(book(
    ["code", given, answer("given")],
    [
      "code",
      `const fraction = await import(${JSON.stringify(module.href)});
       const got = await half(new fraction.Fraction(1, 3));
       if (!(got instanceof fraction.Fraction) || got.under !== 6) throw new Error("no");`,
      test("tested"),
    ],
  ));
  const graded = await gradeSubmission(release, submit({ given }, release.notebook), {
    ...FAST,
    codecs: [module.href],
    read: [fromFileUrl(module)],
    sandbox: fault === undefined,
  });
  assertEquals(short(graded), ["tested 1 passed"], verdictOf(graded, "tested").message);
});

Deno.test("a value that cannot cross is named", async () => {
  const callback = await one(
    "const apply = (f: () => number) => f();",
    "await apply(() => 1);",
  );
  assertMatch(
    callback.message!,
    /Cannot call "apply" from a test: a function cannot cross into the student's process/,
  );
  const mutated = await one(
    "function sort(list: number[]) { list.sort(); }",
    "const list = [3, 1];\nawait sort(list);\nassertEquals(list, [1, 3]);",
  );
  assertMatch(mutated.message!, /"sort" changed its argument 1 in place/);
  const promise = await one("const f = () => ({ p: new Promise(() => {}) });", "await f();");
  assertMatch(promise.message!, /a promise cannot cross: await it/);
});

Deno.test("a test of the instructor's that hangs or exits ends neither the grader nor later tests", async () => {
  const source = book(
    ["code", "const given = 1;", answer("given")],
    ["code", "while (true);", test("hangs")],
    ["code", "Deno.exit(3);", test("exits")],
    ["code", "if (given !== 1) throw new Error('no');", test("works")],
  );
  const release = releaseNotebook(source);
  const graded = await gradeSubmission(
    release,
    submit({ given: "const given = 1;" }, release.notebook),
    { sandbox: fault === undefined, limits: { testSeconds: 2 } },
  );
  assertEquals(short(graded), ["hangs 0 timeout", "exits 0 crashed", "works 1 passed"]);
});

Deno.test("a score out of range is reported to the instructor", async () => {
  for (const score of ["5", "-1", "NaN"]) {
    const verdict = await one("const x = 1;", score);
    assertEquals([verdict.status, verdict.points], ["failed", 0]);
    assertMatch(verdict.message!, /expected a number from 0 to 4/);
  }
  assertEquals((await one("const x = 1;", "2.5")).points, 2.5);
  assertEquals((await one("const x = 1;", "'2.5'")).points, 4);
});

Deno.test("a test that shares the student's process says so", async () => {
  const release = releaseNotebook(book(
    ["code", "const given = (f: () => number) => f();", answer("given")],
    ["code", "if (given(() => 1) !== 1) throw new Error('no');", test("tested"), [
      "shares-process",
    ]],
    ["code", "({ points: given(() => 1.5), message: 'half\\nof it' });", test("partly", 3), [
      "shares-process",
    ]],
  ));
  const graded = await gradeSubmission(
    release,
    submit({ given: "const given = (f: () => number) => f();" }, release.notebook),
    { sandbox: fault === undefined },
  );
  const { status, shared } = verdictOf(graded, "tested");
  assertEquals([status, shared], ["passed", true]);
  const partly = verdictOf(graded, "partly");
  assertEquals([partly.status, partly.points, partly.message, partly.shared], [
    ...["partial", 1.5, "half\nof it", true],
  ]);
});

inSandbox("an assignment is proved through the stand-ins before its release", async () => {
  assertEquals(await proveRelease(SOURCE, FAST), []);
  const findings = await proveRelease(
    book(
      ["code", SETUP, locked("setup")],
      ["code", solution("const apply = (f: () => number) => f();"), answer("apply")],
      ["code", "assertEquals(await apply(() => 1), 1);", test("callback")],
      ["code", solution("function sort(list: number[]) { return list.sort(); }"), answer("sort")],
      ["code", "assertEquals(await sort([3, 1]), [1, 3]);", test("mutated")],
      ["code", "1 + 1;\nundefined;", test("free", 1)],
      ["code", solution("function points() { return 1; }"), answer("points")],
      ["code", "await points()", test("own", 1)],
      ["code", "let expected = 1;"],
      ["code", "assertEquals(await points(), expected);", test("unlocked", 1)],
      ["code", "await assertRejects(async () => await apply(() => 1));", test("swallowed", 1)],
    ),
    FAST,
  );
  assertEquals(
    findings.map(({ gradeId, message }) => `${gradeId}: ${message}`.replace(/: TypeError.*/, "…")),
    [
      "callback: The solution scores 0 of 1 points…",
      "mutated: The solution scores 0 of 1 points…",
      "free: The stub scores 1 of 1 points: expected none",
      'own: The test\'s last value is what "points" gives, which is not taken as a score: end it ' +
      "with a semicolon and a statement of the test's own",
      'unlocked: The test uses "expected" of a cell that students may change: lock that cell',
      'swallowed: Cannot call "apply" from a test: a function cannot cross into the student\'s ' +
      "process",
      "swallowed: The stub scores 1 of 1 points: expected none",
    ],
  );
});
