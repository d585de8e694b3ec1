// Which verdicts say where code for a GPU ran.

import { assertEquals } from "@std/assert";
import { gpuTests } from "../../lib/grade/autograde/gpu.ts";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { Session } from "../../lib/runtime/session.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { SandboxedSession } from "../../lib/runtime/sandbox/session.ts";
import { answer, book, locked, test } from "./book.ts";

const sandbox = await sandboxFault() === undefined;

const RUN =
  "const run = async (f: () => number) => (await navigator.gpu?.requestAdapter()) ? f() : f();";

Deno.test("tests that reach a GPU through names are found", () => {
  const notebook = book(
    ["code", RUN, locked("run")],
    ["code", "const three = () => run(() => 3);", answer("three")],
    ["code", "await three();", test("indirect")],
    ["code", "await run(() => 1);", test("direct")],
    ["code", "const four = 4;", answer("four")],
    ["code", "four;", test("none")],
    ["markdown", "navigator.gpu"],
  );
  assertEquals(gpuTests(notebook), new Set(["indirect", "direct"]));
  assertEquals(gpuTests(book(["code", "1", test("one")])), new Set());
});

Deno.test("a verdict says on what the sandbox lets such code run", async () => {
  const release = releaseNotebook(book(
    ["code", RUN, locked("run")],
    [
      "code",
      "// BEGIN SOLUTION\nconst three = () => run(() => 3);\n// END SOLUTION",
      answer("three"),
    ],
    ["code", 'if (await three() !== 3) throw new Error("no");', test("gpu")],
    ["code", "1;", test("plain")],
  ));
  const submission = structuredClone(release.notebook);
  // What the student says of the GPU does not count.
  submission.cells[1]!.source =
    'Object.defineProperty(navigator, "gpu", { value: { requestAdapter: () => ({ info: { description: "H100" } }) } });\n' +
    "const three = () => run(() => 3);";
  const { verdicts } = await gradeSubmission(release, submission, { sandbox });
  await using session = sandbox
    ? await SandboxedSession.start({ cwd: "/tmp", path: "/tmp/a.ipynb" })
    : await Session.start({ cwd: "/tmp" });
  const { outputs: [output] } = await session.execute(
    'console.log((await navigator.gpu?.requestAdapter())?.info.description ?? "cpu")',
  );
  const there = output?.output_type === "stream" ? output.text.trim() : "";
  assertEquals(verdicts.map(({ device }) => device), [there, undefined]);
  assertEquals(verdicts.map(({ status }) => status), ["passed", "passed"]);
});
