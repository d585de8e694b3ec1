// Checks of the course's exercises: what is right, missing, wrong in shape, in value, and by which mistake.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { check, exercise } from "../../lib/course/mod.ts";
import { compareAnswers } from "../../lib/course/compare.ts";
import { judgeAnswer } from "../../lib/course/exercise.ts";

const shift = exercise({
  title: "2.1 Shift <the> targets",
  inputs: [[[1, 2, 3, 4]], [[5, 6]]],
  solution: (tokens: number[]) => [...tokens.slice(1), -100],
  mistakes: {
    "The targets are not shifted": (tokens: number[]) => tokens,
    "The targets are shifted twice": (tokens: number[]) => [...tokens.slice(2), -100, -100],
  },
  hint: "Position i predicts token i + 1",
});

Deno.test("judgeAnswer() takes a right answer, async too, and hands out copies", async () => {
  assertEquals(
    await judgeAnswer(shift, (tokens) => {
      tokens.push(-100);
      return Promise.resolve(tokens.slice(1));
    }),
    { status: "right" },
  );
  assertEquals(shift.inputs, [[[1, 2, 3, 4]], [[5, 6]]]);
});

Deno.test("judgeAnswer() knows a missing answer", async () => {
  assertEquals(await judgeAnswer(shift, undefined), { status: "missing" });
  assertEquals(await judgeAnswer(shift, () => undefined), { status: "missing" });
});

Deno.test("judgeAnswer() says shape before value, how much is right, and the mistake's name", async () => {
  const short = await judgeAnswer(shift, (tokens) => tokens.slice(1));
  assertEquals(short, {
    status: "wrong",
    message: "for ([1,2,3,4]) got 3 values, expected 4",
    correct: 0,
  });
  const twice = await judgeAnswer(shift, (tokens) => [...tokens.slice(2), -100, -100]);
  assertEquals(twice, {
    status: "wrong",
    message: "for ([1,2,3,4]) at [0]: got 3, expected 2",
    correct: 0.375,
    mistake: "The targets are shifted twice",
  });
  const throws = await judgeAnswer(shift, () => {
    throw new RangeError("no <luck>");
  });
  assertMatch((throws as { message: string }).message, /it throws RangeError: no <luck>/);
});

Deno.test("judgeAnswer() takes values where there are no inputs", async () => {
  const value = exercise({
    title: "Half",
    inputs: [[]],
    solution: () => 0.5,
    hint: "",
    tolerance: 0.01,
  });
  assertEquals(await judgeAnswer(value, 0.505), { status: "right" });
  assertEquals((await judgeAnswer(value, 0.6)).status, "wrong");
  assertEquals((await judgeAnswer(value, NaN)).status, "wrong");
});

Deno.test("check() shows the verdict as text and as HTML, and nothing as markup", async () => {
  const right = await check(shift, (tokens) => [...tokens.slice(1), -100]);
  assertEquals(right.text, "Right: 2.1 Shift <the> targets");
  assertStringIncludes(right.html, "✓ Right</b>: 2.1 Shift &lt;the&gt; targets");
  const wrong = await check(shift, (tokens) => tokens);
  assertEquals(wrong.text.split("\n"), [
    "Not quite: 2.1 Shift <the> targets",
    "  First difference: for ([1,2,3,4]) at [0]: got 1, expected 2",
    "  Likely mistake: The targets are not shifted",
  ]);
  const unknown = await check(shift, (tokens) => tokens.map(() => 9));
  assertStringIncludes(unknown.text, "  Hint: Position i predicts token i + 1");
  assertEquals((await check(shift, undefined)).text, "Not yet: 2.1 Shift <the> targets");
});

Deno.test("compareAnswers() compares lists of every kind, records, and numbers within a tolerance", () => {
  assertEquals(compareAnswers(new Float32Array([0.1, NaN]), [0.1, NaN]), undefined);
  assertEquals(compareAnswers({ a: 1, more: 2 }, { a: 1 }), undefined);
  assertEquals(compareAnswers({ b: 1 }, { a: 1 })?.message, 'the property "a" is missing');
  assertEquals(compareAnswers(null, {})?.message, "got null, expected an object");
  assertEquals(
    compareAnswers([[1], [2, 3]], [[1], [2]])?.message,
    "at [1]: got 2 values, expected 1",
  );
  assertEquals(compareAnswers(1000.05, 1000), undefined);
  assertEquals(compareAnswers("b", "a"), {
    kind: "value",
    message: 'got "b", expected "a"',
    actual: 'got "b"',
    correct: 0,
  });
});
