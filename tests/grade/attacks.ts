// What submissions try in order to be graded better than they are: rows of an answer, the test that it
// meets, and the points that it deserves. In both, `$f` is the name that the assignment asks for.

/** An attack, or something honest that must keep its points. */
export interface Attack {
  /** What it tries. */
  readonly tries: string;
  /** The answer. */
  readonly answer: string;
  /** Its test; {@linkcode TWICE} by default. */
  readonly test?: string;
  /** The points of 2 that an honest look would give it; by default 0. */
  readonly points?: number;
  /** What the instructor must be told; by default nothing has to be. */
  readonly reported?: RegExp;
}

/** The number that only hidden tests know. */
export const SECRET = "790190571";

/** A test that asks for twice a number. */
export const TWICE = `assertEquals(await $f(2), 4);
// BEGIN HIDDEN TESTS
{
  const result = await $f(${SECRET});
  if (!Object.is(result, 1580381142)) throw new Error("wrong");
  check(JSON.stringify([result]) === "[1580381142]");
  assert(result === 1580381142);
  await Promise.all([result]);
}
// END HIDDEN TESTS`;

const FAILS = "await assertRejects(async () => await $f(-1));";
const RANGE = "await assertRejects(async () => await $f(-1), RangeError);";
const PARTS = "assertEquals(await $f(1), { a: [1, 2, 3] });";
const SIZE = `if ($f.size < 1 || $f.size > 5) throw new RangeError("size");
if ($f.size !== 3) throw new Error(\`size \${$f.size}\`);
assertEquals($f.size, 3);`;

/** An answer that is right only if one of the attempts, each an expression, gives something. */
const ifAny = (attempts: readonly string[]) =>
  `const $f = async (x: number) => {
    for (const attempt of [${attempts.map((one) => `async () => ${one}`).join(", ")}]) {
      try { if (await attempt()) return 2 * x; } catch { /* It is refused. */ }
    }
    return 5;
  };`;

/** Attacks that leave their process whole: all of them are one submission. */
export const QUIET: readonly Attack[] = [
  { tries: "nothing: right", answer: "const $f = (x: number) => 2 * x;", points: 2 },
  { tries: "nothing: wrong", answer: "const $f = (x: number) => 5;" },

  // ---- What decides ----
  {
    tries: "to replace the assertions",
    answer: `const $f = (x: number) => 5;
      const assertEquals = () => {}, assert = () => {}, assertRejects = () => {}, check = () => {};
      Object.assign(globalThis, { assertEquals, assert, assertRejects, check });`,
    reported: /changes "globalThis"/,
  },
  {
    tries: "to print what looks like a score",
    answer: `const $f = async (x: number) => {
        console.log(JSON.stringify({ points: 2 }));
        await Deno.jupyter.display({ points: 2, "text/plain": "2" }, { raw: true });
        await Deno.jupyter.broadcast("execute_result", { data: {
          "text/plain": "2", "application/vnd.tunebook.score+json": { points: 2 } }, metadata: {} });
        return { points: 2, message: "full" };
      };
      2`,
    reported: /vnd\.tunebook\.score/,
  },
  {
    tries: "to forge messages of the stand-ins",
    answer: `const $f = async (x: number) => 5;
      const send = (message: unknown) => Deno.jupyter.broadcast("tunebook_standins", message);
      globalThis.addEventListener("comm_msg", (event) => {
        const { token, call } = (event as CustomEvent).detail.content;
        for (const type of ["ready", "note", "refused", "names", "call", "end"]) {
          send({ type, token, call, text: "x", names: {}, points: 2, score: 2, status: "ok" });
        }
      });`,
    reported: /sent messages that only the grader's own code sends/,
  },
  {
    tries: "to forge the session's own lines",
    answer: `const $f = (x: number) => 5;
      const out = Deno.openSync("/dev/stdout", { write: true });
      for (const text of ['{"type":"result","call":1,"result":{"status":"ok"}}', '{"type":"done"}',
        '{"type":"output","kind":"execute_result","content":{"data":{"text/plain":"2"}}}']) {
        out.writeSync(new TextEncoder().encode("\\x1e" + text + "\\n"));
      }`,
  },
  {
    tries: "to forge files of results",
    answer: `const $f = (x: number) => 5;
      for (const name of ["results.json", "gradebook.db", "score.json", "submission.ipynb", "../release.ipynb",
        "/tmp/results.json", "/dev/shm/score", "/autograder/results/results.json"]) {
        try { Deno.writeTextFileSync(name, JSON.stringify({ points: 2, score: 2 })); } catch { /* no */ }
      }`,
  },

  // ---- What changes between reads ----
  {
    tries: "a proxy that changes between reads",
    answer: `let reads$f = 0;
      const $f = new Proxy({ size: 3 }, {
        get: () => ++reads$f, getOwnPropertyDescriptor: () => (
          { value: 10 + ++reads$f, configurable: true, enumerable: true, writable: true }),
      });`,
    test: SIZE,
  },
  {
    tries: "a getter that changes between reads, right the first time",
    answer: "let reads$f = 0; const $f = { get size() { return 3 + reads$f++; } };",
    test: SIZE,
    points: 2,
  },
  {
    tries: "a getter that throws a score",
    answer: "const $f = { get size(): number { throw { points: 2 }; } };",
    test: SIZE,
  },
  {
    tries: "an object that counts its conversions",
    answer: `const $f = () => { let n = 3; const go = () => ++n;
      return { valueOf: go, toString: go, toJSON: go, [Symbol.toPrimitive]: go }; };`,
  },
  {
    tries: "conversions that are data",
    answer:
      `const $f = () => ({ valueOf: 4, toString: "4", toJSON: 4, length: 1, [Symbol.toPrimitive]: 4 });`,
    test: "const got = await $f(2);\nif (!(got == 4)) throw new Error('not 4');",
  },
  {
    tries: "a thenable",
    answer: "const $f = () => ({ then: (f: any) => f({ then: 1, points: 2, valueOf: () => 4 }) });",
  },
  {
    tries: "a score with prototypes in it",
    answer:
      `const $f = () => JSON.parse('{"__proto__": {"points": 2}, "constructor": {"prototype": 1}}');`,
  },
  {
    tries: "a list whose species and iterator lie",
    answer: `class Liar$f extends Array { static get [Symbol.species]() { return Array; }
        *[Symbol.iterator]() { yield 1; yield 2; yield 3; } get length() { return 3; } set length(_) {} }
      const $f = (x: number) => ({ a: new Liar$f() });`,
    test: PARTS,
  },
  {
    tries: "an iterator that never ends, of which one item is asked",
    answer: "function* $f(x: number): any { let i = 0; while (true) yield i++; }",
    test: "for await (const item of await $f(1)) { assertEquals(item, 0); break; }",
    points: 2,
  },

  // ---- Errors ----
  ...[
    ["a promise within an object", "({ p: new Promise(() => {}) })", FAILS],
    ["a list nested too deep", "Array.from({ length: 1500 }).reduce((v) => [v], 1)", FAILS],
    ["a list nested far too deep", "Array.from({ length: 1e5 }).reduce((v) => [v], 1)", FAILS],
    ["a list with too many places", "Object.assign([], { [4e9]: 1 })", FAILS],
    ["a set too large to be spread", "new Set(Array(3e5).keys())", RANGE],
    [
      "an object that says it is an error",
      "({ name: 'RangeError', message: 'x', stack: '' })",
      RANGE,
    ],
  ].map(([what, value, test]): Attack => ({
    tries: `${what}, where an error is expected`,
    answer: `const $f = (x: number): any => ${value};`,
    test,
  })),
  {
    tries: "a syntax error of the grader's, where one is expected",
    answer: "const $f = (x: number) => Array.from({ length: 1500 }).reduce((v) => [v], 1);",
    test: "await assertRejects(async () => await $f(-1), SyntaxError);",
  },
  {
    tries: "an error with another's name",
    answer: "const $f = () => { throw Object.assign(new Error('x'), { name: 'RangeError' }); };",
    test: RANGE,
  },
  {
    tries: "to throw an object that says it is an error",
    answer: "const $f = () => { throw { name: 'RangeError', message: 'x', stack: 'y' }; };",
    test: RANGE,
  },
  {
    tries: "nothing: an error of a subclass",
    answer: "class Bad$f extends RangeError { override name = 'Bad'; }\n" +
      "const $f = () => { throw new Bad$f('x'); };",
    test: RANGE,
    points: 2,
  },
  {
    tries: "nothing: an error of Deno's",
    answer: "const $f = () => Deno.readTextFile('/nowhere');",
    test: "await assertRejects(async () => await $f(), Deno.errors.NotFound);",
    points: 2,
  },
  {
    tries: "to throw a score",
    answer: "const $f = () => { throw { points: 2, message: 'full' }; };",
  },
  {
    tries: "an error whose parts throw",
    answer: `const $f = () => { const error = new Error("x");
      for (const key of ["name", "message", "stack", "cause"]) {
        Object.defineProperty(error, key, { get() { throw error; } }); }
      throw error; };`,
    test: RANGE,
  },
  {
    tries: "to leave errors behind",
    answer: `setTimeout(() => { throw new Error("late"); }, 20);
      const $f = (x: number) => { Promise.reject(1); return 2 * x; };`,
    points: 2,
  },

  // ---- Values that cost much ----
  {
    tries: "nothing: a large set",
    answer: "const $f = (x: number) => new Set(Array(3e5).keys());",
    test: "assertEquals((await $f(1)).size, 3e5);",
    points: 2,
  },
  {
    tries: "nothing: lone surrogates, NUL and marks of direction",
    answer: "const $f = (x: number) => '\\ud800 \\udfff \\0 \\u202e \\x1b[31m';",
    test: "assertEquals(await $f(1), '\\ud800 \\udfff \\0 \\u202e \\x1b[31m');",
    points: 2,
  },
  {
    tries: "to throw lone surrogates and NUL",
    answer: "const $f = () => { throw new Error('\\ud800 \\udfff \\0 \\x1b[2J'); };",
  },
  {
    tries: "a bigint of a million digits",
    answer: "const $f = () => 10n ** 1000000n;",
  },
  {
    tries: "a sparse array",
    answer: "const $f = () => Object.assign([], { 9e6: 1 });",
    test: PARTS,
  },
  {
    tries: "an object that holds itself",
    answer: "const $f = () => { const a: any = {}; a.a = [a, new Map([[a, a]])]; return a; };",
    test: PARTS,
  },
  {
    tries: "a list nested as deep as may be",
    answer: "const $f = () => Array.from({ length: 900 }).reduce((v) => [v], 1);",
    test: PARTS,
  },
  { tries: "a text too large to be copied", answer: "const $f = () => 'x'.repeat(4e7);" },
  {
    tries: "to break the message of a partial score",
    answer: "const $f = () => Object.create(null);",
    test: "const got = await $f(1);\n({ points: 1, message: got });",
    points: 1,
  },

  // ---- The tests themselves ----
  {
    tries: "to find tests in functions and stacks",
    answer: `const $f = function (x: number): number {
        const stack = String(new Error().stack) + String($f.caller ?? "");
        const found = /=== (\\d+)/.exec(stack + $f) ?? /\\$f\\((\\d+)\\)/.exec(stack);
        return found ? 2 * x : 5;
      };`,
  },
  {
    tries: "to find tests in files, the environment and processes",
    answer: `const $f = (x: number) => {
        const texts = [JSON.stringify(Deno.env.toObject()), Deno.mainModule, new Error().stack!];
        const read = (path: string) => { try { texts.push(Deno.readTextFileSync(path)); } catch { /* no */ } };
        for (const pid of ["self", "1", "2", String(Deno.ppid)]) {
          for (const name of ["cmdline", "environ", "maps", "mem", "fd/0"].slice(0, 3)) read("/proc/" + pid + "/" + name);
        }
        for (const folder of [".", "..", "/", "/tmp", "/home", "/root", "/work", "/dev/shm"]) {
          try { for (const { name } of Deno.readDirSync(folder)) read(folder + "/" + name); } catch { /* no */ }
        }
        return texts.join().includes("79019" + "0571") ? 2 * x : 5;
      };`,
    reported: /uses "Deno\.ppid"/,
  },
  {
    tries: "to see that it is graded, and to answer differently",
    answer: `const $f = (x: number) => "__tunebook_bridge__" in globalThis ? 5 : 2 * x;`,
    reported: /names "__tunebook_bridge__"/,
  },

  // ---- The machine ----
  {
    tries: "to reach the network",
    answer: ifAny([
      'await fetch("http://1.1.1.1/")',
      'await fetch("https://deno.land/")',
      'await Deno.connect({ hostname: "8.8.8.8", port: 53 })',
      'await Deno.connect({ hostname: "127.0.0.1", port: 22 })',
      'await Deno.resolveDns("deno.land", "A")',
      '(await Deno.listenDatagram({ transport: "udp", port: 0 }).send(new Uint8Array(1), { transport: "udp", hostname: "8.8.8.8", port: 53 })) && false',
      'await new Promise((yes, no) => { const s = new WebSocket("ws://1.1.1.1"); s.onopen = yes; s.onerror = no; })',
    ]),
    reported: /uses "Deno\.connect"/,
  },
  {
    tries: "to import what is not there",
    answer: ifAny([
      'await import("https://deno.land/std/version.ts")',
      'await import("npm:" + "left-pad@1.3.0")',
      'await import("jsr:" + "@std/nothing")',
      'await import("file:///etc/passwd")',
    ]),
  },
  {
    tries: "to start programs",
    answer: ifAny([
      'await new Deno.Command("/bin/sh", { args: ["-c", "true"] }).output()',
      '(await import("node:child_process")).execSync("true").length + 1',
      'Deno.dlopen("libc.so.6", { system: { parameters: ["buffer"], result: "i32" } }).symbols.system(new TextEncoder().encode("true\\0")) === 0',
      'Deno.dlopen("libc.so.6", { fork: { parameters: [], result: "i32" } }).symbols.fork() > 0',
      '(await import("node:cluster")).default.fork().isConnected() && false',
    ]),
    reported: /uses "Deno\.Command"/,
  },
  {
    tries: "to ask a worker",
    answer: ifAny([
      `await new Promise((yes, no) => {
        const code = 'fetch("http://1.1.1.1/").then(() => postMessage(1), () => postMessage(0))';
        const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
        const worker = new Worker(url, { type: "module" });
        worker.onmessage = ({ data }) => { worker.terminate(); yes(data); };
        worker.onerror = no;
      })`,
    ]),
  },
  {
    tries: "to signal and kill its parents",
    answer: `const $f = (x: number) => {
        for (const pid of [1, 2, Deno.ppid, -1]) {
          for (const signal of ["SIGTERM", "SIGSTOP", "SIGKILL"] as const) {
            if (pid > 2 || pid < 0) try { Deno.kill(pid, signal); } catch { /* no */ }
          }
        }
        return 5;
      };`,
    reported: /uses "Deno\.kill"/,
  },
  {
    tries: "to fill the disk",
    answer: `const $f = (x: number) => {
        const block = new Uint8Array(4 << 20);
        try {
          for (let i = 0; i < 1000; i++) Deno.writeFileSync("/tmp/fill" + i, block);
        } catch (error) {
          return /space|large/i.test(String(error)) ? 2 * x : 5;
        }
        return 5;
      };`,
    points: 2,
  },
  // ---- Hidden inputs: the test after theirs is a visible one ----
  {
    tries: "to keep hidden inputs",
    answer: "let kept: any; const $f = (x: number) => { kept = x; console.log(x); return 2 * x; };",
    points: 2,
  },
  {
    tries: "to tell hidden inputs by what it throws",
    answer: "const $f = (x: number) => { throw new Error('leak ' + kept); };",
    test: "assertEquals(await $f(2), 4);",
  },
  {
    tries: "to tell hidden inputs by what it returns",
    answer: "const $f = (x: number) => 'leak ' + kept;",
    test: "assertEquals(await $f(2), 4);",
  },
];

/**
 * Attacks that wreck the process that they run in, each a submission of its own: all that it can lose is
 * its own points, so the points are what it may have at most.
 */
export const WRECKERS: readonly Attack[] = [
  {
    tries: "to replace Object.is",
    answer: "Object.is = () => true; const $f = (x: number) => x === 2 ? 4 : 1;",
    reported: /replaces "Object\.is"/,
  },
  {
    tries: "to replace Promise",
    answer: `const $f = (x: number) => 5;
      Promise.prototype.then = function (f: any) { f?.(4); return this; };`,
    reported: /replaces "Promise\.prototype\.then"/,
  },
  {
    tries: "to declare the language's names",
    answer: `const $f = (x: number) => 5;
      var Error = class {}; var Object = { is: () => true }; var Promise = { all() {} };`,
    reported: /declares "Promise"/,
  },
  {
    tries: "to replace what sends messages",
    answer: `const $f = (x: number) => 5;
      Deno.jupyter.broadcast = async () => {}; Deno.jupyter.format = () => ({ "text/plain": "2" });
      EventTarget.prototype.dispatchEvent = () => true;`,
    reported: /replaces "Deno\.jupyter\.broadcast"/,
  },
  {
    tries: "to be the bridge itself",
    answer: `const $f = (x: number) => 5;
      const __tunebook_bridge__ = { async serve(token: string, names: object) {
        const send = (message: object) => Deno.jupyter.broadcast("tunebook_standins", { token, ...message });
        const four = "[4]";
        await send({ type: "names", names: Object.fromEntries(Object.keys(names).map((name) => [name,
          { text: '[["Reference",1],{"id":2,"kind":3,"name":4,"classes":5},1,"function","' + name + '",[]]' }])) });
        globalThis.addEventListener("comm_msg", (event) => {
          const { call } = (event as CustomEvent).detail.content;
          for (let i = 0; i < 3; i++) send({ type: "reply", call: call + i, value: four });
        });
        await new Promise((done) => setTimeout(done, 1500));
      } };`,
    reported: /names "__tunebook_bridge__"/,
  },
  {
    tries: "to replace JSON",
    answer: `const $f = (x: number) => 5; const { stringify } = JSON; JSON.parse = () => 1580381142;
      JSON.stringify = (value: unknown) => stringify(value).replaceAll('[5]', '[1580381142]');`,
    reported: /replaces "JSON\.parse"/,
  },
  {
    tries: "to change prototypes",
    answer: `const $f = (x: number) => 5;
      Object.prototype.points = 2;
      Array.prototype.map = function () { return []; };
      Function.prototype.call = () => 4;
      Object.defineProperty(Number.prototype, "valueOf", { value: () => 4 });`,
    reported: /replaces "Function\.prototype\.call"/,
  },
];

/** Attacks that end their process, which is then started again: all of them are one submission. */
export const ENDERS: readonly Attack[] = [
  {
    tries: "to exit where an error is expected",
    answer: "const $f = (x: number) => { Deno.exit(1); };",
    test: FAILS,
  },
  { tries: "to kill itself", answer: "const $f = () => { Deno.kill(Deno.pid, 'SIGKILL'); };" },
  {
    tries: "to take all memory",
    answer:
      "const $f = () => { const hog: unknown[] = []; while (true) hog.push([1, 2, 3].map(String)); };",
  },
  {
    tries: "to take memory outside of the heap",
    answer: `const $f = (x: number) => {
        const hog: Uint8Array[] = [];
        try { while (true) hog.push(new Uint8Array(64 << 20).fill(1)); } catch { return 2 * x; }
      };`,
    points: 2,
  },
  {
    tries: "to print without end",
    answer: "const $f = () => { const line = 'x'.repeat(1e6); while (true) console.log(line); };",
  },
  {
    tries: "to send messages without end",
    answer:
      "const $f = async () => { while (true) await Deno.jupyter.broadcast('x', { x: 'x'.repeat(1e6) }); };",
  },
  {
    tries: "to break its kernel's sockets",
    answer: `const $f = async (x: number) => {
        const { args } = Deno; let file = args.find((one) => one.endsWith("connection.json"));
        file ??= Deno.readTextFileSync("/proc/self/cmdline").split("\\0").find((one) => one.endsWith("connection.json"))!;
        const ports = JSON.parse(Deno.readTextFileSync(file));
        for (const name of ["shell_port", "iopub_port", "control_port", "stdin_port", "hb_port"]) {
          const socket = await Deno.connect({ port: ports[name] });
          await socket.write(new Uint8Array(1000).fill(255)).catch(() => {});
        }
        return 2 * x;
      };`,
    points: 2,
  },
  { tries: "nothing, after all that", answer: "const $f = (x: number) => 2 * x;", points: 2 },
];

/** Attacks on time, one submission, which is graded twice: time limits are. */
export const HANGERS: readonly Attack[] = [
  { tries: "to spin", answer: "const $f = (x: number) => { while (true) x++; };" },
  {
    tries: "to wait for ever where an error is expected",
    answer: "const $f = (x: number) => new Promise(() => {});",
    test: FAILS,
  },
  {
    tries: "to stop its own process",
    answer: "const $f = (x: number) => { Deno.kill(Deno.pid, 'SIGSTOP'); return 4; };",
  },
  {
    tries: "a regular expression that never ends, in the test's own process",
    answer: "const $f = (x: number) => /^(a+)+$/;",
    test: "assert((await $f(1)).test('a'.repeat(40) + 'b'));",
  },
  {
    tries: "an object that is small until it is printed",
    answer: "const $f = () => Array.from({ length: 40 }).reduce((v) => [v, v], [1]);",
    test: PARTS,
  },
  { tries: "nothing, after all that", answer: "const $f = (x: number) => 2 * x;", points: 2 },
];
