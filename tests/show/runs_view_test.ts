// Runs side by side: what differs, what is the same, what is unknown.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { runsView } from "../../lib/show/mod.ts";

const answer = (instruction: string, model_response: string) => ({
  instruction,
  input: "",
  output: "Blue.",
  model_response,
});

Deno.test("runs are shown by the settings that differ, their losses, scores and answers", () => {
  const view = runsView([
    {
      name: "a",
      settings: { batchSize: 8, adapter: { rank: 4, alpha: 8 } },
      history: [
        { step: 1, loss: 3, evaluation: { validationLoss: 3.2 } },
        { step: 2, loss: 2, evaluation: { validationLoss: 2.5 } },
        { step: 3, loss: 1, evaluation: { validationLoss: 2.75 } },
      ],
      scores: { rougeL: { corpus: 0.5, interval: [0.25, 0.75] } },
      answers: [answer("Name <a> colour.", "Red."), answer("And another.", "Green.")],
    },
    {
      name: "b",
      settings: { batchSize: 8, adapter: { rank: 8, alpha: 8 }, dropout: 0.1 },
      history: [{ step: 1, loss: 3.5 }],
      answers: [answer("Name <a> colour.", "Blue.")],
    },
    { name: "c", settings: { batchSize: 8, adapter: { rank: 8, alpha: 8 } } },
  ]);
  assertEquals(view.text.split("\n\n").map((part) => part.split("\n")[0]), [
    "Settings that differ",
    "Losses",
    "Scores",
    "Answers",
  ]);
  const [settings, losses, scores, answers] = view.text.split("\n\n");
  assertStringIncludes(settings, "The same in all: batchSize 8, adapter.alpha 8");
  const cells = (text: string, row: string) =>
    text.split("\n").find((line) => line.startsWith(`${row} `))!.split(/\s{2,}/).map((c) =>
      c.trim()
    );
  assertEquals(cells(settings, "run"), ["run", "adapter.rank", "dropout"]);
  assertEquals(cells(settings, "a"), ["a", "4", "unknown"]);
  assertEquals(cells(settings, "b"), ["b", "8", "0.1"]);
  assertEquals(cells(losses, "a"), ["a", "3", "1.0000", "2.7500", "2.5000 at step 2"]);
  assertEquals(cells(losses, "c"), ["c", "unknown", "unknown", "unknown", "unknown"]);
  // b was not validated, so that the curves are of training.
  assertStringIncludes(losses, "a, 3 points, from 3 to 1");
  assertStringIncludes(scores, "0.5000 [0.2500, 0.7500]");
  assertStringIncludes(answers, "(not asked)");
  assert(view.html.includes("Name &lt;a&gt; colour.") && !view.html.includes("<a> colour"));
});

Deno.test("runs show numbers as people write them", () => {
  const run = (name: string, learningRate: number) => ({ name, settings: { learningRate } });
  const { text } = runsView([run("a", 3 * 1e-4), run("b", 0.1 * 3), run("c", 5e-7)]);
  assertEquals(String(3 * 1e-4), "0.00030000000000000003");
  for (const written of ["0.0003", "0.3", "5e-7"]) assertStringIncludes(text, `  ${written}`);
  assert(!/000000|999999/.test(text), text);
});

Deno.test("no runs, and two of one name, are not compared", () => {
  assertThrows(() => runsView([]), RangeError, "Cannot compare no runs");
  const run = { name: "a", settings: {} };
  assertThrows(() => runsView([run, run]), RangeError, 'two runs named "a"');
});
