// The cells of docs/writing_assignments.md make an assignment, which is proved.

import { assertEquals } from "@std/assert";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { describeFinding } from "../../lib/grade/metadata.ts";
import { proveRelease } from "../../lib/grade/prove_release.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { answer, book, type BookCell, locked, test } from "./book.ts";

const page = await Deno.readTextFile(new URL("../../docs/writing_assignments.md", import.meta.url));
const options = { sandbox: await sandboxFault() === undefined };

/** The page's cells, as its comments describe them: role, id, points of a test, tag. */
const cells = [...page.matchAll(/<!-- cell: (\S+) (\S+) ?(.*?) -->\n\n```ts\n([^]*?)\n```/g)]
  .map(([, role, id, rest, source]): BookCell => {
    const [first = ""] = rest!.split(" ");
    const tag = rest!.split(" ").at(-1)!;
    const metadata = role === "test"
      ? test(id!, Number(first))
      : role === "answer"
      ? answer(id!)
      : locked(id!);
    return ["code", source!, metadata, /^[a-z]/.test(tag) ? [tag] : undefined];
  });

/** Numbers come before the answer that uses them. */
const numbers = cells.findIndex(([, , metadata]) => metadata!.grade_id === "numbers");
const SOURCE = book(...cells.splice(numbers, 1), ...cells);

Deno.test("the assignment of docs/writing_assignments.md is proved, in another variant too", async () => {
  assertEquals(SOURCE.cells.length, 7);
  const variants = [{ owner: "ada", seed: 12 }];
  assertEquals((await proveRelease(SOURCE, { ...options, variants })).map(describeFinding), []);
});

Deno.test("an answer to it gets what the page says", async () => {
  const release = releaseNotebook(SOURCE);
  const submission = structuredClone(release.notebook);
  const at = submission.cells.findIndex(({ metadata }) =>
    (metadata.nbgrader as { grade_id: string }).grade_id === "line"
  );
  submission.cells[at]!.source =
    "console.warn('careful');\nconst line = (x: number) => (x > 1 ? 0 : 3 * Math.max(x, 0) + 1) as number;";
  const { verdicts } = await gradeSubmission(release, submission, options);
  const seen = verdicts.map(({ gradeId, points, message, shared }) => [
    gradeId,
    points,
    message?.split("\n")[0],
    shared,
  ]);
  assertEquals(seen, [
    ["line-test", 0, "AssertionError: Values are not equal.", undefined],
    ["line-parts", 2, "right for 2 of 3 numbers", undefined],
    ["line-map", 1, undefined, true],
    [
      ...["line-type", 0],
      `Cell ${
        at + 1
      }, line 2: "as" makes the compiler take a type on trust, so the type cannot be checked`,
      undefined,
    ],
  ]);
});
