// tunebook sheet makes blind and rating sheets, and reads what people wrote on them.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse, stringify } from "@std/csv";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { runHere } from "./in_process.ts";

const sheet = (...args: string[]) => runHere(["sheet", ...args]);

type Row = Record<string, string>;

const rowsOf = async (path: string) =>
  parse(await Deno.readTextFile(path), { skipFirstRow: true }) as Row[];
const toCsv = (rows: readonly Row[]) => stringify(rows, { columns: Object.keys(rows[0]) });

const answered = (...answers: string[]) =>
  JSON.stringify(answers.map((model_response, i) => ({
    instruction: `Question ${i}?`,
    output: "- right",
    model_response,
  })));

Deno.test("tunebook sheet blind hides who answered, and read finds it again with kappa", async () => {
  using folder = new TemporaryDirectory();
  const base = folder.file("base.json", answered("b", "b", "b", "b"));
  const tuned = folder.file("tuned.json", answered("t", "t", "t", "t"));
  const [out, key] = [`${base}.csv`, `${base}.key`];
  const files = ["--out", out, "--key", key];
  const made = await sheet(
    "blind",
    "--answers",
    `base=${base}`,
    "--answers",
    `tuned=${tuned}`,
    "--reference",
    ...files,
  );
  assertEquals([made.code, made.stdout], [
    0,
    `4 questions written to "${out}", the key to "${key}"\n`,
  ], made.stderr);
  const rows = await rowsOf(out);
  assertEquals(Object.keys(rows[0]), ["number", "question", "A", "B", "C", "better"]);
  assert(!/base|tuned/.test(await Deno.readTextFile(out)), "nothing says whose answers they are");
  // Ann always prefers the tuned model's answer; Ben says tie once, and leaves one out.
  const letterOf = (row: Row, answer: string) => "ABC"[[row.A, row.B, row.C].indexOf(answer)];
  const fill = (name: string, choose: (row: Row, i: number) => string) =>
    folder.file(name, toCsv(rows.map((row, i) => ({ ...row, better: choose(row, i) }))));
  const ann = fill("ann.csv", (row) => letterOf(row, "t"));
  const ben = fill("ben.csv", (row, i) => (
    ["tie", "", letterOf(row, "'- right"), letterOf(row, "t")][i]
  ));
  const found = await sheet("read", ann, ben, "--key", key);
  assertEquals(found.stdout.trimEnd().split("\n"), [
    "sheet 1, base 0, tuned 4, reference 0, ties 0, empty 0",
    "sheet 2, base 0, tuned 1, reference 1, ties 1, empty 1",
    "Cohen's kappa 0.0000 over the 3 questions that both decided",
  ]);
  const other = fill("other.csv", () => "");
  await Deno.writeTextFile(
    other,
    (await Deno.readTextFile(other)).replace("Question 0", "Another"),
  );
  for (
    const [args, message] of [
      [["read", ann], "Cannot read a blind sheet: give its --key"],
      [["read", ann, "--key", base], "Cannot read the key"],
      [["read", ann, other, "--key", key], "expected two copies of the same sheet"],
      [["blind", "--answers", `a=${base}`, "--answers", `b=${out}`, ...files], "Cannot read"],
    ] as const
  ) assertStringIncludes((await sheet(...args)).stderr, message);
});

Deno.test("tunebook sheet rating asks by criteria, and read gives means and agreement", async () => {
  using folder = new TemporaryDirectory();
  const data = folder.file("tuned.json", answered("a", "b", "c"));
  const out = `${data}.csv`;
  assertEquals((await sheet("rating", data, "--out", out)).code, 0);
  const rows = await rowsOf(out);
  const fill = (name: string, ratings: readonly string[]) =>
    folder.file(name, toCsv(rows.map((row, i) => ({ ...row, correctness: ratings[i] }))));
  const [ann, ben] = [fill("ann.csv", ["5", "4", "1"]), fill("ben.csv", ["5", "3", ""])];
  const { criteria } = JSON.parse((await sheet("read", ann, ben, "--json")).stdout);
  assertEquals(criteria[0], {
    ...{ criterion: "correctness", ratings: 5, mean: 3.6, kappa: 1 / 3, correlation: 1 },
  });
  assertEquals([criteria[1].mean, criteria[1].kappa], [null, null]);
  const wrong = fill("wrong.csv", ["6", "1", "1"]);
  assertStringIncludes((await sheet("read", wrong)).stderr, "expected a whole number from 1 to 5");
});

Deno.test("tunebook sheet replaces no filled-in sheet or key, and refuses the key of another sheet", async () => {
  using folder = new TemporaryDirectory();
  const base = folder.file("base.json", answered("b one", "b two", "b three", "b four"));
  const tuned = folder.file("tuned.json", answered("t one", "t two", "t three", "t four"));
  const blind = (name: string, seed: string) => {
    const answers = ["--answers", `base=${base}`, "--answers", `tuned=${tuned}`];
    const files = ["--out", `${base}.${name}.csv`, "--key", `${base}.${name}.key`];
    return sheet("blind", ...answers, ...files, "--seed", seed);
  };
  const [out, key] = [`${base}.a.csv`, `${base}.a.key`];
  assertEquals([(await blind("a", "1")).code, (await blind("a", "1")).code], [0, 0]);
  assertEquals((await blind("b", "2")).code, 0);
  assertStringIncludes((await blind("a", "2")).stderr, `Cannot replace the key "${key}"`);

  const rows = await rowsOf(out);
  // as a spreadsheet saves it: with other line breaks and numbers
  const filled = rows.map((row) => ({ ...row, better: "A", question: `${row.question}\r\n` }));
  await Deno.writeTextFile(out, toCsv(filled));
  assertStringIncludes((await blind("a", "1")).stderr, `Cannot replace "${out}": a person`);
  assertEquals(await rowsOf(out), parse(toCsv(filled), { skipFirstRow: true }));
  assertStringIncludes((await sheet("read", out, "--key", key)).stdout, "base ");
  assertStringIncludes(
    (await sheet("read", out, "--key", `${base}.b.key`)).stderr,
    `Cannot read "${out}" by the key "${base}.b.key": question `,
  );
  assertStringIncludes(
    (await sheet("rating", tuned, "--out", base)).stderr,
    `Cannot replace "${base}": it is not a sheet`,
  );
});
