import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  describeJudgement,
  type Judge,
  JudgeError,
  judgePrompt,
  judgeResponses,
  parseScore,
} from "../../lib/eval/judge.ts";
import type { JudgeFailure } from "../../lib/eval/outcome.ts";
import { recorded } from "../../lib/provenance.ts";

const ENTRY = { instruction: "Give the plural.", input: "mouse", output: "mice" };
const entries = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ ...ENTRY, model_response: `answer ${i}` }));

/** A judge that gives one reply after the other; an error among them is thrown. */
function scripted(replies: (string | Error | { reply: string; cut: boolean })[]): Judge & {
  prompts: string[];
} {
  const prompts: string[] = [];
  return {
    name: "scripted",
    settings: { seed: 123 },
    prompts,
    ask(prompt) {
      const next = replies[prompts.push(prompt) - 1]!;
      if (next instanceof Error) return Promise.reject(next);
      return Promise.resolve(typeof next === "string" ? { reply: next, cut: false } : next);
    },
  };
}

const failure = (reason: JudgeFailure) => new JudgeError(reason, `It was ${reason}`);

Deno.test("judgePrompt() is the reference's, word for word", () => {
  assertEquals(
    judgePrompt({ ...ENTRY, model_response: "mouses" }),
    "Given the input `Below is an instruction that describes a task. Write a response that " +
      "appropriately completes the request.\n\n### Instruction:\nGive the plural.\n\n### Input:\n" +
      "mouse` and correct output `mice`, score the model response `mouses` on a scale from 0 to 100, " +
      "where 100 is the best score. Respond with the integer number only.",
  );
});

Deno.test("parseScore() reads a score as people write it", () => {
  const replies: [string, number][] = [
    ["85", 85],
    [" 0\n", 0],
    ["100", 100],
    ["007", 7],
    ["85.", 85],
    ["85.0", 85],
    ["85/100", 85],
    ["**85**", 85],
    ["**85/100**", 85],
    ["85 out of 100", 85],
    ["[[85]]", 85],
    ["Score: 85", 85],
    ["**Score:** 85/100", 85],
    ["85%", 85],
    ["The score is 85.", 85],
    ['{"score": 85}', 85],
    ["I would give it 85/100 for that.", 85],
    ["85\n\nThe answer names a fruit, but another one.", 85],
    ["It names 2 of 3 fruits.\n\n85", 85],
    ["<think>Maybe 20, or 40/100?</think>\n\n85", 85],
    ["<think>\n</think>Rating: [[85]]", 85],
  ];
  for (const [reply, score] of replies) assertEquals(parseScore(reply), score, reply);
  const none = ["", "101", "-1", "8.5", "8/10", "1000", "eighty", "1 2", "80 or 90"];
  none.push(
    "Score: 80, no, score: 90",
    "<think>85",
    "It names 2 of 3 fruits.",
    "1. Good.\n2. Bad.",
  );
  for (const reply of none) assertEquals(parseScore(reply), undefined, reply);
});

Deno.test("judgeResponses() accounts for every reply, and continues after each failure", async () => {
  const judge = scripted([
    "80",
    "Quite good",
    failure("dropped"),
    { reply: "100", cut: true },
    { reply: "60\n\n\n", cut: true },
    failure("prompt-too-long"),
    "40",
  ]);
  const seen: string[] = [];
  const report = await judgeResponses(entries(7), judge, {
    onOutcome: (outcome, index) => seen.push(`${index} ${outcome.status}`),
  });
  assertEquals([report.scored, report.unparsable, report.failed, report.notAsked], [3, 2, 2, 0]);
  assertEquals(report.average, 60);
  assertAlmostEquals(report.standardError!, 20 / Math.sqrt(3), 1e-12);
  assertEquals(report.examples, 7);
  assertEquals(seen.length, 7);
  assertEquals(seen[2], "2 failed");
  assertEquals(report.outcomes[1], {
    status: "unparsable",
    reply: "Quite good",
    message: "The judge's reply is not an integer from 0 to 100",
  });
  assertEquals(report.problems.map(({ count }) => count), [1, 1, 1, 1]);
  assertEquals(
    describeJudgement(report),
    "scripted: 60.00 ± 11.55 over 3 of 7 responses, 2 unparsable, 2 failed",
  );
  const { replay, signature, ...facts } = recorded().at(-1)!;
  assertEquals(signature, report.signature);
  assertEquals(facts, {
    kind: "judge",
    judge: "scripted",
    seed: 123,
    replies: ["80", "Quite good", null, "100", "60\n\n\n", null, "40"],
  });

  // Another run takes the outcomes from there, and asks only what was not asked then.
  const file = await Deno.makeTempFile({ suffix: ".json" });
  Deno.env.set("TUNEBOOK_REPLAY", file);
  try {
    await Deno.writeTextFile(file, JSON.stringify([{ ...facts, replay }]));
    const silent = scripted(["11"]);
    assertEquals(await judgeResponses(entries(7), silent), report);
    assertEquals(silent.prompts, []);
    assertEquals((await judgeResponses(entries(8), silent)).outcomes.at(-1), {
      status: "scored",
      score: 11,
      reply: "11",
    });
    const other = { ...scripted(["12"]), name: "other" };
    assertEquals((await judgeResponses(entries(1), other)).average, 12);
  } finally {
    Deno.env.delete("TUNEBOOK_REPLAY");
    await Deno.remove(file);
  }
});

Deno.test("judgeResponses() gives an empty response 0 without asking, as Raschka's chapter 7 does", async () => {
  const judge = scripted(["50"]);
  const report = await judgeResponses(
    [{ ...ENTRY, model_response: "" }, { ...ENTRY, model_response: "mice" }],
    judge,
  );
  assertEquals(judge.prompts.length, 1);
  assertEquals([report.scored, report.average], [2, 25]);
});

Deno.test("judgeResponses() does not ask on where the judge is away for good", async () => {
  const missing = scripted([failure("model-missing")]);
  const report = await judgeResponses(entries(110), missing);
  assertEquals(missing.prompts.length, 1);
  assertEquals([report.failed, report.scored, report.average], [110, 0, null]);
  assertEquals(report.problems, [{ message: "It was model-missing", count: 110 }]);
  assertEquals(
    describeJudgement(report),
    "scripted: no score for any of 110 responses, 110 failed",
  );

  const down = failure("unreachable");
  const flaky = scripted([down, down, "70", down, down, down]);
  const second = await judgeResponses(entries(20), flaky);
  assertEquals(flaky.prompts.length, 6, "three failures in a row end the asking, two do not");
  assertEquals([second.scored, second.failed], [1, 19]);
});

Deno.test("judgeResponses() stops when told, and keeps what was judged", async () => {
  const controller = new AbortController();
  const judge = scripted(["10", "20", "30"]);
  const report = await judgeResponses(entries(5), judge, {
    signal: controller.signal,
    onOutcome: (_, index) => index === 1 && controller.abort(),
  });
  assertEquals(judge.prompts.length, 2);
  assertEquals([report.scored, report.notAsked, report.average], [2, 3, 15]);
  assertEquals(report.outcomes[2], { status: "not asked" });
});

Deno.test("judgeResponses() does not swallow a fault in the judge itself", async () => {
  await assertRejects(
    () => judgeResponses(entries(1), scripted([new TypeError("bug")])),
    TypeError,
    "bug",
  );
});
