// One of each view of this library, with texts that are long, hostile or not numbers, for tests that look at them in pages.

import {
  attentionView,
  barChart,
  batchView,
  compareTable,
  evaluationView,
  forestView,
  frames,
  heatmap,
  histogram,
  lineChart,
  lossCurve,
  runsView,
  scatter,
  table,
  tokenView,
  type View,
} from "../../lib/show/mod.ts";
import { collate } from "../../lib/dataset/collate.ts";
import { evaluateAnswers } from "../../lib/eval/mod.ts";
import { forest } from "../../lib/dataset/forest.ts";

const long = "a long name with many words in it, ".repeat(3);
const decoder = { decode: (ids: number[]) => ids.map((id) => ` token${id}`).join("") };
const examples = [1, 2, 3, 4].map((i) => ({
  promptIds: [...Array.from({ length: 60 }, (_, at) => at), 100 + i],
  responseIds: [...Array.from({ length: 10 * i }, (_, at) => 200 + at), 50256],
  instructionLength: 55,
}));

/** A chart of each kind. */
export const charts: Record<string, View> = {
  lossCurve: lossCurve(
    Array.from({ length: 50 }, (_, i) => ({
      step: i + 1,
      loss: i === 30 ? NaN : 3 / (i + 1),
      ...(i % 5 === 0 && { evaluation: { validationLoss: 3.2 / (i + 1) } }),
      tokensComputed: 280,
    })),
    { title: long },
  ),
  lineChart: lineChart({ a: [1, 10, 100], b: [3, NaN, 1000] }, { logY: true, title: "Lines" }),
  barChart: barChart([[long, 1], ["<b>", 2]], { title: "Bars" }),
  "barChart lying": barChart([[long, 1], ["<b>", 2]], { horizontal: true }),
  histogram: histogram({ a: [1, 2, 2, 3], b: [2, 3, 4] }, { marks: { limit: 3 } }),
  scatter: scatter([1, 2, 3], [3, 1, 2], { labels: ["<i>", "b", "c"] }),
  heatmap: heatmap([[1, 2], [3, NaN]], { columns: ["<a>", "b"], rows: ["c", "d"] }),
};

/** The views that are not charts. */
export const others: Record<string, View> = {
  tokenView: tokenView({
    tokens: ["x".repeat(300), " b", "\n", "<|endoftext|>"],
    roles: ["prompt", "response", "response", "end"],
    counted: [false, true, true, true],
  }),
  batchView: batchView(collate(examples), decoder),
  forestView: forestView(forest(examples), decoder),
  attentionView: attentionView(forest(examples)),
  table: table(
    Array.from({ length: 3 }, () => Object.fromEntries("abcdefgh".split("").map((k) => [k, long]))),
  ),
  compareTable: compareTable([{
    prompt: long,
    reference: long,
    before: "y".repeat(400),
    after: long,
  }]),
};

const response = (model_response: string, topic: string) => ({
  ...{ instruction: `Explain ${topic}.`, input: "", output: long, model_response, topic },
});

/** Views that are made of others. */
export const composed: Record<string, View> = {
  frames: frames(
    { "a setting": [1, 2, 3], way: ["one way", "another"], "a switch": [false, true] },
    ({ way }) => lineChart({ [way]: [3, 2, 1], [long]: [1, 2, 3] }, { title: long }),
    { title: "Frames" },
  ),
  runsView: runsView(["a", "b"].map((name, i) => ({
    name,
    settings: { batchSize: 8, learningRate: 1e-3 * (i + 1) },
    history: [{ step: 1, loss: 3 }, { step: 2, loss: 2 - i }],
    answers: [response(name, "colours")],
  }))),
  evaluationView: evaluationView(
    await evaluateAnswers(
      { name: "base", responses: [response("Red.", "a"), response("no", "b")] },
      { name: "model", responses: [response("A long name.", "a"), response("words", "b")] },
    ),
  ),
};
