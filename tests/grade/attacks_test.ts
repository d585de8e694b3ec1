// Submissions that try to be graded better than they are: each keeps its honest grade.

import { assertEquals, assertMatch } from "@std/assert";
import { type Graded, gradeSubmission } from "../../lib/grade/autograde.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { answer, book, locked, test } from "./book.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;

const SECRET = "7919";

const RELEASE = releaseNotebook(book(
  [
    "code",
    'import { assert, assertEquals } from "@std/assert";\n' +
    "const check = (ok: boolean) => { if (!ok) throw new Error('not so'); };",
    locked("setup"),
  ],
  ["code", "// BEGIN SOLUTION\nconst twice = (x: number) => 2 * x;\n// END SOLUTION", answer("q")],
  [
    "code",
    "assertEquals(await twice(2), 4);\n" +
    `// BEGIN HIDDEN TESTS\nconst result = await twice(${SECRET});\n` +
    "if (!Object.is(result, 15838)) throw new Error('wrong');\n" +
    "check(JSON.stringify([result]) === '[15838]');\nassert(result === 15838);\n" +
    "await Promise.all([result]);\n// END HIDDEN TESTS",
    test("visible", 2),
  ],
  ["code", "// BEGIN SOLUTION\nconst box = { size: 3 };\n// END SOLUTION", answer("r")],
  [
    "code",
    "if (box.size < 1 || box.size > 5) throw new RangeError('size');\n" +
    "if (box.size !== 3) throw new Error(`size ${box.size}`);\nassertEquals(box.size, 3);",
    test("data", 2),
  ],
));

const GOOD = { q: "const twice = (x: number) => 2 * x;", r: "const box = { size: 3 };" };
const WRONG = "const twice = (x: number) => 5;";

async function attack(answers: Record<string, string>): Promise<Graded> {
  const notebook = structuredClone(RELEASE.notebook);
  for (const cell of notebook.cells) {
    const { grade_id } = (cell.metadata.nbgrader ?? {}) as { grade_id?: string };
    if (grade_id !== undefined && grade_id in answers) cell.source = answers[grade_id]!;
  }
  return await gradeSubmission(RELEASE, notebook, {
    limits: { cellSeconds: 5, callSeconds: 3, testSeconds: 6, memory: 512 },
  });
}

type Attack = [answers: Record<string, string>, points: [number, number], wrecks?: "wrecks"];

/**
 * Each attack: its answers, and the points that it deserves in both tests; whether it wrecks its own
 * process, which then may have no values to be tested, and so costs it points.
 */
const ATTACKS: Record<string, Attack> = {
  "nothing: the honest answer": [GOOD, [2, 2]],
  "nothing: the wrong answer": [{ ...GOOD, q: WRONG }, [0, 2]],
  "assertions are replaced": [{
    ...GOOD,
    q: `${WRONG}
       const assertEquals = () => {}, assert = () => {}, check = () => {};
       globalThis.assertEquals = globalThis.assert = globalThis.check = () => {};`,
  }, [0, 2]],
  "Object.is is replaced": [{
    ...GOOD,
    q: "Object.is = () => true; const twice = (x: number) => x === 2 ? 4 : 1;",
  }, [0, 2]],
  "JSON is replaced": [{
    ...GOOD,
    q: `${WRONG} const { stringify } = JSON; JSON.parse = () => 15838;
        JSON.stringify = (value: unknown) => stringify(value).replaceAll('[5]', '[15838]');`,
  }, [0, 2]],
  "Promise is replaced": [
    {
      ...GOOD,
      q: `${WRONG} Promise.prototype.then = function (f: any) { f?.(4); return this; };`,
    },
    [0, 2],
    "wrecks",
  ],
  "globals of the language are declared": [
    {
      ...GOOD,
      q: `${WRONG} var Error = class {}; var Object = { is: () => true }; var Promise = { all() {} };`,
    },
    [0, 2],
    "wrecks",
  ],
  "a proxy changes between reads": [{
    ...GOOD,
    r: `let reads = 0;
        const box = new Proxy({ size: 3 }, {
          get: () => ++reads, getOwnPropertyDescriptor: () => (
            { value: 10 + ++reads, configurable: true, enumerable: true, writable: true }),
        });`,
  }, [2, 0]],
  "a getter changes between reads": [{
    ...GOOD,
    r: "let reads = 0; const box = { get size() { return 3 + reads++; } };",
  }, [2, 2]],
  "a getter throws": [{
    ...GOOD,
    r: "const box = { get size(): number { throw { points: 2 }; } };",
  }, [2, 0]],
  "output looks like a score": [{
    ...GOOD,
    q: `const twice = async (x: number) => {
          console.log(JSON.stringify({ points: 2 }));
          await Deno.jupyter.display({ points: 2, "text/plain": "2" }, { raw: true });
          await Deno.jupyter.broadcast("execute_result", { data: {
            "text/plain": "2", "application/vnd.tunebook.score+json": { points: 2 } }, metadata: {} });
          return { points: 2, message: "full" };
        };
        2`,
  }, [0, 2]],
  "messages of the stand-ins are forged": [{
    ...GOOD,
    q: `const twice = async (x: number) => 5;
        const send = (message: unknown) => Deno.jupyter.broadcast("tunebook_standins", message);
        globalThis.addEventListener("comm_msg", (event) => {
          const { token, call } = (event as CustomEvent).detail.content;
          for (const type of ["ready", "note", "names", "call", "end", "reply"]) {
            send({ type, token, call, text: "x", names: {}, points: 2, score: 2, status: "ok" });
          }
        });`,
  }, [0, 2]],
  "lines of the session's own are forged": [{
    ...GOOD,
    q: `${WRONG}
        const out = Deno.openSync("/dev/stdout", { write: true });
        for (const text of ['{"type":"result","call":1,"result":{"status":"ok"}}', '{"type":"done"}',
          '{"type":"output","kind":"execute_result","content":{"data":{"text/plain":"2"}}}']) {
          out.writeSync(new TextEncoder().encode("\\x1e" + text + "\\n"));
        }`,
  }, [0, 2]],
  "prototypes are changed": [
    {
      ...GOOD,
      q: `${WRONG}
        Object.prototype.points = 2;
        Array.prototype.map = function () { return []; };
        Function.prototype.call = () => 4;
        Object.defineProperty(Number.prototype, "valueOf", { value: () => 4 });`,
    },
    [0, 2],
    "wrecks",
  ],
  "the result pollutes prototypes": [{
    ...GOOD,
    q: `const twice = () => JSON.parse('{"__proto__": {"points": 2}, "constructor": {"prototype": 1}}');`,
  }, [0, 2]],
  "the result is thenable": [{
    ...GOOD,
    q: "const twice = () => ({ then: (f: any) => f({ then: 1, points: 2, valueOf: () => 4 }) });",
  }, [0, 2]],
  "it kills its parents": [{
    ...GOOD,
    q: `const twice = (x: number) => {
          for (const pid of [1, 2, Deno.ppid]) {
            try { Deno.kill(pid, "SIGKILL"); } catch { /* no */ }
          }
          return 5;
        };`,
  }, [0, 2]],
  "it takes all memory": [{
    ...GOOD,
    q: `const hog: unknown[] = [];
        const twice = () => { while (true) hog.push([1, 2, 3].map(String)); };`,
  }, [0, 2]],
  "it gives too much to be copied": [{
    ...GOOD,
    q: "const twice = () => 'x'.repeat(1e8);",
  }, [0, 2]],
  "it leaves errors behind": [{
    ...GOOD,
    q: `setTimeout(() => { throw new Error("late"); }, 20);
        const twice = (x: number) => { Promise.reject(1); return 2 * x; };`,
  }, [2, 2]],
  "tests are looked for in functions and stacks": [{
    ...GOOD,
    q: `const twice = (x: number) => {
          const stack = String(new Error().stack);
          const source = String(arguments?.callee) + twice.toString() + stack;
          const found = /=== (\\d+)/.exec(source) ?? /twice\\((\\d+)\\)/.exec(source);
          return found ? 2 * x : 5;
        };`,
  }, [0, 2]],
};

for (const [name, [answers, points, wrecks]] of Object.entries(ATTACKS)) {
  Deno.test({
    name: `an attack keeps its honest grade: ${name}${needs}`,
    ignore: fault !== undefined,
    async fn() {
      const { verdicts, findings } = await attack(answers);
      if (/forged/.test(name) && "q" in answers && answers.q!.includes("tunebook_standins")) {
        assertMatch(findings[0]!.message, /sent messages/);
      } else assertEquals(findings, []);
      const got = verdicts.map((verdict) => verdict.points);
      const most = wrecks ? got.map((one, i) => Math.max(one, points[i]!)) : got;
      assertEquals(most, points, JSON.stringify(verdicts));
    },
  });
}

Deno.test({
  name: `hidden tests are in no text, file or variable that a submission can read${needs}`,
  ignore: fault !== undefined,
  async fn() {
    const { verdicts, notebook } = await attack({
      ...GOOD,
      q: `const twice = (x: number) => 2 * x;
          const texts: string[] = [JSON.stringify(Deno.mainModule), new Error().stack!];
          const read = (path: string) => {
            try { texts.push(Deno.readTextFileSync(path)); } catch { /* no */ }
          };
          for (const path of ["/proc/self/cmdline", "/proc/self/environ", "/proc/1/cmdline",
            "/proc/1/environ", "submission.ipynb", "tests.ipynb"]) read(path);
          for (const folder of [".", "/tmp"]) {
            try { for (const { name } of Deno.readDirSync(folder)) read(folder + "/" + name); } catch { /* no */ }
          }
          console.log(texts.length, texts.join().includes("${SECRET.slice(0, 2)}" + "${
        SECRET.slice(2)
      }"));`,
    });
    assertEquals(verdicts.map(({ points }) => points), [2, 2]);
    const [, cell] = notebook.cells;
    const said = JSON.stringify(cell);
    assertMatch(said, /\d+ false/);
  },
});
