// What comes after grading, as commands: the marking page, feedback, the gradebook.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { start, tunebook } from "../cli/tunebook.ts";
import { sampleCourse } from "./sample_course.ts";

Deno.test("grade serve prints its address, serves the page, and ends by Ctrl-C", async () => {
  await using sample = await sampleCourse();
  const child = start(["grade", "serve", "--course", sample.folder, "--marker", "Kim"]);
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let address = "";
  while (!address.includes("\n")) address += (await reader.read()).value ?? "\n";
  assertMatch(address, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/);
  const entered = await fetch(address.trim());
  const cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
  await entered.body?.cancel();
  const base = new URL(address.trim()).origin;
  const begun = await (await fetch(`${base}/api/start`, { headers: { cookie } })).json();
  assertEquals([begun.marker, begun.anonymous, begun.suggests], ["Kim", true, false]);
  assertEquals(begun.questions.map(({ id }: { id: string }) => id), [
    "week3/main/why",
    "week3/main/plan",
  ]);
  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
  assertStringIncludes(await errors, "Open this address");
  await reader.cancel();
});

Deno.test("grade serve names what is wrong", async () => {
  await using sample = await sampleCourse();
  const serve = (...args: string[]) =>
    tunebook(["grade", "serve", "--course", sample.folder, ...args]);
  const unknown = await serve("week9");
  assertEquals(unknown.code, 1);
  assertStringIncludes(unknown.stderr, 'Cannot mark "week9"');
  const judge = await serve("--judge", "gpt");
  assertEquals(judge.code, 1);
  assertStringIncludes(judge.stderr, 'give "ollama:MODEL"');
});

Deno.test("grade feedback writes a page for each student and says what waits", async () => {
  await using sample = await sampleCourse();
  const { code, stderr } = await tunebook([
    ...["grade", "feedback", "week3", "--course", sample.folder],
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "Wrote 10 pages");
  assertStringIncludes(stderr, "On 10 of them, answers wait");
  const page = await Deno.readTextFile(`${sample.folder}/feedback/student3/week3/week3.html`);
  assertStringIncludes(page, "First3 Last3 (student3)");
});

Deno.test("grade gradebook export writes all scores, and a page that names nobody", async () => {
  await using sample = await sampleCourse({ assignments: ["week1", "week2"] });
  const { folder } = sample;
  const [csv, page] = [`${folder}/grades.csv`, `${folder}/scores.html`];
  const { code, stderr } = await tunebook([
    ...["grade", "gradebook", "export", "--course", folder, "-o", csv, "--statistics", page],
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "20 scores are not final");
  const [header, first, ...rest] = (await Deno.readTextFile(csv)).trim().split("\r\n");
  assertStringIncludes(header!, "assignment,duedate,timestamp,student_id,last_name,first_name");
  assertEquals(
    first,
    "week1,2026-03-01 12:00:00,2026-03-01 11:00:00,student1,Last1,First1,s1@example.org,0,0,0,12",
  );
  assertEquals(rest.length, 19);
  const html = await Deno.readTextFile(page);
  for (const part of ["10 of 10 students handed in", "Discrimination", "Why does the validation"]) {
    assertStringIncludes(html, part);
  }
  assertEquals(html.match(/<figure class="gr-chart">/g)?.length, 8);
  assert(!/student1|Last1|<script/.test(html));
});

Deno.test("grade gradebook export --fill fills a copy of a course system's file", async () => {
  await using sample = await sampleCourse();
  const { folder } = sample;
  const canvas = `${folder}/canvas.csv`;
  const text =
    '\uFEFFStudent,SIS Login ID,week3 (7),Notes\r\n Points Possible,,10,\r\nX,student3, ,"=1+1"\r\n';
  await Deno.writeTextFile(canvas, text);
  const run = (...args: string[]) =>
    tunebook(["grade", "gradebook", "export", ...args, "--course", folder, "--fill", canvas]);
  const { code, stderr } = await run("week3");
  assertEquals(code, 0, stderr);
  assertEquals(await Deno.readTextFile(`${folder}/canvas.filled.csv`), text.replace(", ,", ",2,"));
  assertEquals(await Deno.readTextFile(canvas), text);
  assertStringIncludes(stderr, "Wrote 1 scores");
  assertStringIncludes(stderr, "left out: student1, student10, student2");
  assertStringIncludes(stderr, "10 points at most: the assignment has 12");
  await Deno.writeFile(canvas, new Uint8Array([0x41, 0xe9]));
  const latin = await run("week3");
  assertEquals(latin.code, 1);
  assertStringIncludes(latin.stderr, "it is not UTF-8 text");
});

Deno.test("grade similar shows the pair that shares an answer", async () => {
  const shared =
    "The optimizer keeps moving averages of gradients and of their squares, so that each weight " +
    "has a step of its own, and this is why the loss of the training set falls without end while the other rises.";
  await using sample = await sampleCourse({
    answer: (i) => i === 2 || i === 5 ? shared : `Answer ${i} is short.`,
  });
  const page = `${sample.folder}/similar.html`;
  const { code, stderr } = await tunebook([
    ...["grade", "similar", "week3", "--course", sample.folder, "-o", page],
  ]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "Compared 10 submissions: 1 pair");
  assertStringIncludes(await Deno.readTextFile(page), "student3 and student6");
});
