// Notebook files: round trips, upgrades, hostile input, and PyPI's nbformat as the judge.

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import {
  type Cell,
  formatNotebook,
  type Notebook,
  type Output,
  parseNotebook,
  readNotebook,
  writeNotebook,
} from "../../lib/runtime/notebook.ts";
import { FAST } from "../support.ts";
import { nbformatPython } from "./nbformat_peer.ts";

const python = await nbformatPython();

// deno-lint-ignore no-explicit-any
function book(cells: unknown[], extra: any = {}): string {
  return JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells, ...extra });
}
function code(extra: Record<string, unknown> = {}) {
  return {
    cell_type: "code",
    id: "a",
    metadata: {},
    source: "",
    execution_count: null,
    outputs: [],
    ...extra,
  };
}

// ---- Arbitrary notebooks ----

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.constantFrom("a", "\n", "\r", "\r\n", "\u2028", "\x0b", "ü", " ", "\x1c", "\x85"))
    .map((parts) => parts.join("")),
);
const json = fc.jsonValue({ maxDepth: 2 });
const bundle = fc.dictionary(
  fc.constantFrom("text/plain", "text/html", "image/png", "image/svg+xml"),
  text,
).chain((data) =>
  fc.option(json, { nil: undefined }).map((value) =>
    value === undefined ? data : { ...data, "application/vnd.x+json": value }
  )
);
const output: fc.Arbitrary<Output> = fc.oneof(
  fc.record({
    output_type: fc.constant("stream" as const),
    name: fc.constantFrom("stdout", "stderr"),
    text,
  }),
  fc.record({
    output_type: fc.constant("display_data" as const),
    data: bundle,
    metadata: fc.constant({}),
  }),
  fc.record({
    output_type: fc.constant("execute_result" as const),
    execution_count: fc.option(fc.nat()),
    data: bundle,
    metadata: fc.constant({}),
  }),
  fc.record({
    output_type: fc.constant("error" as const),
    ename: text,
    evalue: text,
    traceback: fc.array(text, { maxLength: 3 }),
  }),
);
const metadata = fc.record({
  tags: fc.uniqueArray(fc.constantFrom("parameters", "skip", "a b"), { maxLength: 2 }),
  custom: json,
});
const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.record({
    cell_type: fc.constant("code" as const),
    id: fc.constant(""),
    metadata,
    source: text,
    execution_count: fc.option(fc.nat()),
    outputs: fc.array(output, { maxLength: 3 }),
  }),
  fc.record({
    cell_type: fc.constantFrom("markdown" as const, "raw" as const),
    id: fc.constant(""),
    metadata,
    source: text,
  }),
);
const notebook: fc.Arbitrary<Notebook> = fc.array(cell, { maxLength: 5 }).map((cells) => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: cells.map((cell, index) => ({ ...cell, id: `cell-${index}` })),
}));

/** Through JSON, which knows no -0 and no undefined. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value));

Deno.test("formatNotebook() and parseNotebook() give back any notebook", () => {
  fc.assert(fc.property(notebook, (value) => {
    assertEquals(parseNotebook(formatNotebook(value)), plain(value));
  }));
});

Deno.test({
  name: "formatNotebook() is byte for byte what PyPI's nbformat writes, and valid" +
    (python === undefined ? " (needs nbformat: pip install nbformat)" : ""),
  ignore: python === undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      // Python and JavaScript write some floats differently (1e-7), so numbers stay whole here.
      const whole = fc.sample(notebook, { numRuns: 150, seed: 7 }).map((value) =>
        JSON.parse(
          JSON.stringify(value),
          (_key, item) =>
            typeof item === "number" ? Math.min(Math.abs(Math.trunc(item)), 1e9) : item,
        ) as Notebook
      );
      for (const [index, value] of whole.entries()) {
        await writeNotebook(join(folder, `${index}.ipynb`), value);
      }
      const script = `
import difflib, glob, nbformat, sys
files = glob.glob(sys.argv[1] + "/*.ipynb")
for path in files:
    text = open(path, encoding="utf-8", newline="").read()
    notebook = nbformat.reads(text, 4)
    nbformat.validate(notebook)
    again = nbformat.writes(notebook)
    if again.rstrip("\\n") + "\\n" != text:
        sys.exit("differs: " + path + "\\n" + "\\n".join(difflib.unified_diff(text.split("\\n"), again.split("\\n"), lineterm="")))
print(len(files))`;
      const { code, stdout, stderr } = await new Deno.Command(python!, {
        args: ["-c", script, folder],
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(new TextDecoder().decode(stdout).trim(), "150");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Mutated notebooks to read. */
const MUTATED = FAST ? 300 : 10_000;

Deno.test(`parseNotebook() answers ${MUTATED} mutated notebooks with a notebook or a SyntaxError`, () => {
  const odd = [null, 0, -1, 1.5, "", "x", [], {}, true, [[]], { a: [] }, ["a", 1], "\ud800"];
  let read = 0;
  const texts = fc.sample(notebook, { numRuns: Math.min(MUTATED, 500), seed: 3 }).map(
    formatNotebook,
  );
  for (let index = 0; index < MUTATED; index++) {
    // deno-lint-ignore no-explicit-any
    let root: any = JSON.parse(texts[index % texts.length]);
    const places: [Record<string, unknown>, string][] = [];
    const collect = (node: unknown) => {
      if (typeof node !== "object" || node === null) return;
      for (const key of Object.keys(node)) {
        places.push([node as Record<string, unknown>, key]);
        collect((node as Record<string, unknown>)[key]);
      }
    };
    collect(root);
    const [node, key] = places[(index * 7919) % places.length];
    const change = index % (odd.length + 2);
    if (change === odd.length) delete node[key];
    else if (change === odd.length + 1) root = odd[index % odd.length];
    else node[key] = odd[change];
    let text = JSON.stringify(root);
    if (index % 5 === 0) text = text.slice(0, (index * 31) % text.length);
    try {
      const parsed = parseNotebook(text, "m.ipynb");
      // What is read can be written and read again.
      const written = formatNotebook(parsed);
      assert(formatNotebook(parseNotebook(written)) === written);
      read++;
    } catch (error) {
      assert(error instanceof SyntaxError, `${error}`);
      assertStringIncludes((error as Error).message, 'Cannot read notebook "m.ipynb": ');
    }
  }
  assert(read > MUTATED / 20 && read < MUTATED * 0.95, `${read} were read`);
});

Deno.test("parseNotebook() says what is wrong and where", () => {
  const refuse = (text: string, message: string) =>
    assertThrows(
      () => parseNotebook(text, "b.ipynb"),
      SyntaxError,
      `Cannot read notebook "b.ipynb": ${message}`,
    );
  refuse("{", "it is not JSON");
  refuse("[]", "expected an object, got an array");
  refuse("{}", "nbformat: expected a whole number, got nothing");
  refuse('{"nbformat": 3}', "its format is 3, older than 4.0; convert it first");
  refuse('{"nbformat": 5}', "its format is 5.0, newer than 4.5");
  refuse('{"nbformat": 4, "nbformat_minor": 6}', "its format is 4.6, newer than 4.5");
  refuse(book([], { cells: 1 }), "cells: expected array, got 1");
  refuse(
    book([code(), code({ source: 5 })]),
    "cells[1].source: expected a string or an array of strings, got 5",
  );
  refuse(
    book([code({ cell_type: "heading" })]),
    'cells[0].cell_type: expected "code", "markdown" or "raw", got "heading"',
  );
  refuse(
    book([code({ id: "a b" })]),
    "cells[0].id: expected 1 to 64 letters, digits, hyphens and underscores",
  );
  refuse(
    book([
      code({
        outputs: [{ output_type: "display_data", metadata: {}, data: { "text/plain": 4 } }],
      }),
    ]),
    'cells[0].outputs[0].data["text/plain"]: expected a string or an array of strings, got 4',
  );
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  refuse(
    `{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":{"x":${deep}}}`,
    '"metadata" is nested deeper than 200 levels',
  );
});

Deno.test("parseNotebook() upgrades 4.0 to 4.5, with ids that are the same each time", () => {
  const old = JSON.stringify({
    nbformat: 4,
    nbformat_minor: 0,
    metadata: {},
    cells: [code({ id: undefined }), code({ id: undefined }), {
      cell_type: "markdown",
      metadata: {},
      source: ["# A\n", "b"],
    }],
  });
  const first = parseNotebook(old);
  assertEquals(first.nbformat_minor, 5);
  assertEquals(first.cells[2].source, "# A\nb");
  const ids = first.cells.map((cell) => cell.id);
  assertEquals(new Set(ids).size, 3);
  assertEquals(parseNotebook(old).cells.map((cell) => cell.id), ids);
});

Deno.test("parseNotebook() keeps ids and gives new ones to repeated ones only", () => {
  const ids = parseNotebook(book([code(), code(), code({ id: "b" })])).cells.map((c) => c.id);
  assertEquals([ids[0], ids[2]], ["a", "b"]);
  assertEquals(new Set(ids).size, 3);
});

Deno.test("parseNotebook() drops unknown keys of cells, keeps metadata, ignores a byte order mark", () => {
  const parsed = parseNotebook("\uFEFF" + book([code({ odd: 1, metadata: { mine: [1] } })]));
  assertEquals("odd" in parsed.cells[0], false);
  assertEquals(parsed.cells[0].metadata.mine, [1]);
});

Deno.test("writeNotebook() replaces the file whole and leaves nothing beside it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "deep", "book.ipynb");
    const value = parseNotebook(book([code({ source: "1\n2" })]));
    await writeNotebook(path, value);
    await writeNotebook(path, value);
    assertEquals(await readNotebook(path), value);
    assertEquals([...Deno.readDirSync(join(folder, "deep"))].map((e) => e.name), ["book.ipynb"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readNotebook() names a file that is missing or no text", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ipynb" });
  try {
    await Deno.writeFile(path, Uint8Array.of(0xff, 0xfe, 0));
    await assertRejects(() => readNotebook(path), SyntaxError, "it is not UTF-8 text");
  } finally {
    await Deno.remove(path);
  }
  await assertRejects(() => readNotebook(path), Deno.errors.NotFound, "there is no such file");
});
