// Receipts: grades that are signed, checked and reached again; edited and forged ones, and what has changed since.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openCourse } from "../../lib/grade/course.ts";
import { answerId, openGradebook } from "../../lib/grade/gradebook.ts";
import { readReceipt, type Receipt, ReceiptError, signReceipt } from "../../lib/grade/receipt.ts";
import { privateKey, publicKey } from "../../lib/grade/receipt_key.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { tunebook } from "../cli/tunebook.ts";
import { GOOD, SmallCourse, SOURCES } from "./small_course.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : `, without a sandbox (${fault})`;

const grade = (course: SmallCourse, sub: string, ...args: string[]) =>
  tunebook([
    ...["grade", sub, ...args, "--course", course.root],
    ...fault === undefined || sub === "receipt" ? [] : ["--unsafe"],
  ]);

const HASH = "0".repeat(64);
const SAMPLE: Receipt = {
  ...{ kind: "tunebook grade receipt", version: 1, course: "Course", assignment: "week1" },
  ...{ student: "ada", submittedBy: "ada", issued: "2026-01-01T00:00:00Z", due: "2026-01-01" },
  inputs: {
    ...{ submission: HASH, release: HASH, runtime: "r", sandbox: true },
    limits: {
      ...{ cellSeconds: 1, callSeconds: 1, testSeconds: 1, totalSeconds: 1 },
      ...{ output: 1, memory: 1, disk: 1 },
    },
  },
  questions: [{
    ...{ notebook: "main", gradeId: "q", maxPoints: 2 },
    verdict: { points: 1, status: "partial" },
  }],
  score: { raw: 1, latePenalty: 0, total: 1, max: 2, waiting: 0 },
};

async function inFolder(work: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a receipt is what was signed, however its file is laid out; edited and forged ones are refused", () =>
  inFolder(async (folder) => {
    await assertRejects(() => publicKey(folder), Deno.errors.NotFound, "has signed none");
    const text = await signReceipt(SAMPLE, await privateKey(folder));
    const key = await publicKey(folder);
    assertEquals(await readReceipt(text, key), SAMPLE);
    assertEquals(await readReceipt(JSON.stringify(JSON.parse(text)), key), SAMPLE);
    const file = JSON.parse(text);
    const shuffled = {
      ...file,
      receipt: Object.fromEntries(Object.entries(file.receipt).reverse()),
    };
    assertEquals(await readReceipt(JSON.stringify(shuffled), key), SAMPLE);
    const edits: ((receipt: Receipt & { more?: number }) => unknown)[] = [
      (receipt) => receipt.score.total = 2,
      (receipt) => receipt.questions[0]!.verdict!.points = 2,
      (receipt) => receipt.student = "bob",
      (receipt) => receipt.more = 1,
      (receipt) => delete receipt.due,
      (receipt) => receipt.questions.push(receipt.questions[0]!),
    ];
    for (const edit of edits) {
      const edited = structuredClone(file);
      edit(edited.receipt);
      await assertRejects(() => readReceipt(JSON.stringify(edited), key), ReceiptError);
    }
    // The last of two keys of one name counts for the reader and for the signature alike.
    await assertRejects(
      () => readReceipt(text.replace('"total": 1', '"total": 1, "total": 2'), key),
      ReceiptError,
    );
    await inFolder(async (other) => {
      const forged = await signReceipt(SAMPLE, await privateKey(other));
      await assertRejects(() => readReceipt(forged, key), ReceiptError, "forged or edited");
    });
    await assertRejects(() => readReceipt("{", key), SyntaxError, "not JSON");
    await assertRejects(() => readReceipt("[]", key), SyntaxError, "no signature");
    await assertRejects(
      () => readReceipt('{ "receipt": 1, "signature": "!" }', key),
      SyntaxError,
      "not Base64",
    );
  }));

Deno.test("the private key is made once, and is for its owner only", () =>
  inFolder(async (folder) => {
    const [first, second] = await Promise.all([privateKey(folder), privateKey(folder)]);
    const key = await publicKey(folder);
    for (const one of [first, second]) await readReceipt(await signReceipt(SAMPLE, one), key);
    const info = await Deno.stat(`${folder}/receipt_key.json`);
    if (Deno.build.os !== "windows") assertEquals(info.mode! & 0o777, 0o600);
    assertEquals([...Deno.readDirSync(folder)].length, 2);
    await Deno.remove(`${folder}/receipt_key.public.json`);
    await privateKey(folder);
    await readReceipt(await signReceipt(SAMPLE, first), await publicKey(folder));
    await Deno.writeTextFile(`${folder}/receipt_key.public.json`, "{}");
    await assertRejects(() => publicKey(folder), SyntaxError, "no Ed25519 key to verify with");
  }));

Deno.test(`a grade is verified by grading again, and what differs is named${needs}`, async () => {
  await using course = await SmallCourse.open();
  await course.submit("ada", "week1", GOOD);
  const graded = await grade(course, "autograde", "week1");
  assertEquals(graded.code, 0, graded.stderr);
  const mark = (points: number, base: number) => {
    using book = openGradebook({ root: course.root, roster: [] });
    const answer = answerId({
      ...{ assignment: "week1", notebook: "main", gradeId: "why", student: "ada" },
    });
    book.appendMark(
      {
        ...{ answer, marker: "Kim", session: `${base}`, edit: 1 },
        ...{ points, rubric: [], comment: "secret comment" },
      },
      base,
    );
  };
  mark(2, 0);
  const signed = await grade(course, "receipt", "week1");
  assertEquals([signed.code, signed.stderr], [0, "Signed 1 receipt\n"]);
  const path = signed.stdout.trim();
  const text = await Deno.readTextFile(path);
  assert(!/secret comment|-6|Kim/.test(text), text);
  const receipt = await readReceipt(text, await publicKey(course.root));
  assertEquals(receipt.score, { raw: 6, latePenalty: 0, total: 6, max: 7, waiting: 0 });
  const before = await course.files("autograded");

  const same = await grade(course, "verify", path);
  assertEquals([same.code, same.stdout], [0, "The same: ada, week1: 6 of 7 points\n"], same.stderr);
  assertEquals(await course.files("autograded"), before);

  // Edited, though it adds up.
  const edited = JSON.parse(text);
  edited.receipt.questions[2].mark.points = 3;
  edited.receipt.score = { ...edited.receipt.score, raw: 7, total: 7 };
  await Deno.writeTextFile(course.path("edited.json"), JSON.stringify(edited));
  const refused = await grade(course, "verify", course.path("edited.json"));
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertStringIncludes(refused.stderr, "forged or edited");

  // A limit is named, and changes no grade.
  await Deno.writeTextFile(course.path("course.yaml"), "limits: { memory: 3000 }");
  const limited = await grade(course, "verify", path);
  assertEquals(limited.code, 0, limited.stderr);
  assertStringIncludes(limited.stdout, "Limit memory: 4096 then, 3000 now\nThe same");

  // Marks, work and tests.
  mark(3, 1);
  const marked = await grade(course, "verify", path);
  assertEquals(marked.code, 1);
  assertStringIncludes(
    marked.stdout,
    "main/why: marked 2 points (version 1) then, marked 3 points (version 2) now",
  );
  assertStringIncludes(marked.stdout, "Score, total: 6 then, 7 in the gradebook now\n");
  await course.submit("ada", "week1", { ...GOOD, twice: "function twice(x) { return 4; }" });
  const source = structuredClone(SOURCES.week1!);
  source.cells[5]!.source = source.cells[5]!.source.replace("length", "length - 1");
  await course.source("week1", source);
  const other = await grade(course, "verify", path);
  assertEquals(other.code, 1);
  for (
    const part of [
      'What "ada" handed in is not what was graded',
      "The assignment or its tests have changed",
      "main/test_twice: passed with 2 points then, failed with 0 points now",
      "main/test_words: passed with 2 points then, partial with 1 points now",
      "Not the same: ada, week1: 6 of 7 points",
    ]
  ) assertStringIncludes(other.stdout, part);

  // A gradebook that is ahead of autograded, or behind, signs nothing.
  const opened = await openCourse(course.root);
  using book = openGradebook(opened);
  const [attempt] = book.submissions("week1");
  book.putSubmission(attempt!, book.verdicts(attempt!).map((one) => ({ ...one, points: 0 })));
  const unsigned = await grade(course, "receipt", "week1");
  assertEquals(unsigned.code, 1);
  assertStringIncludes(unsigned.stderr, "No receipt for ada: its verdicts");
});
