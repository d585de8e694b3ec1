// Losses of topics are those of their examples, and a topic that is left behind is named.

import { assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { measureLoss, sft } from "../../lib/train/mod.ts";
import { TopicMonitor } from "../../lib/train/topic_monitor.ts";
import { onEveryDevice } from "../devices.ts";
import { release, smallExamples, smallModel, take } from "./small.ts";

/** The warnings after each evaluation. */
function watch(losses: Readonly<Record<string, readonly number[]>>): string[][] {
  const monitor = new TopicMonitor();
  const length = Math.max(...Object.values(losses).map((of) => of.length));
  return Array.from({ length }, (_, at) =>
    monitor.observe(
      Object.fromEntries(Object.entries(losses).map(([topic, of]) => [topic, of[at]!])),
    ));
}

Deno.test("a topic whose loss stays while the others' falls is named once", () => {
  const warnings = watch({
    orders: [3, 2.8, 2.6, 2.4, 2.2, 2.0, 1.8],
    returns: [3, 3, 2.99, 3.01, 3, 3, 2.99],
  });
  assertEquals(warnings.map(({ length }) => length), [0, 0, 0, 0, 1, 0, 0]);
  assertMatch(
    warnings[4]![0]!,
    /"returns" is not learnt: its loss went from 3\.000 to 3\.000.*27 %/,
  );
});

Deno.test("a topic is named again after it recovered, and not where no topic learns", () => {
  const warnings = watch({
    orders: [3, 2.8, 2.6, 2.4, 2.2, 2.0, 1.8],
    returns: [3, 3, 3, 3, 3, 2.5, 3],
  });
  assertEquals(warnings.map(({ length }) => length), [0, 0, 0, 0, 1, 0, 1]);
  const flat = [3, 3, 3, 2.99, 3, 3];
  assertEquals(watch({ orders: flat, returns: flat }).flat(), []);
});

Deno.test("a topic whose loss turns again and again by much is named, one that shakes a little is not", () => {
  const falling = [3, 2.8, 2.6, 2.4, 2.2, 2.0];
  const warnings = watch({ orders: falling, returns: [3, 2, 2.9, 1.9, 2.8, 1.8] });
  assertMatch(
    warnings.flat().join("\n"),
    /"returns" swings: 3\.000, 2\.000, 2\.900, 1\.900, 2\.800/,
  );
  assertEquals(watch({ orders: falling, returns: [3, 2.7, 2.75, 2.6, 2.65, 2.5] }).flat(), []);
});

onEveryDevice("sft() measures each topic's loss, and all together as before", async (device) => {
  const model = smallModel(device);
  const all = smallExamples(14);
  const topics = ["orders", "returns", undefined];
  const validation = all.slice(4).map((example, i) => {
    const topic = topics[i % 3];
    return { ...example, ...(topic && { topic }), weight: 1 + i % 2 };
  });
  const options = {
    examples: all.slice(0, 4),
    validation,
    evalEvery: 1,
    evalIters: "all",
  } as const;
  using training = sft(model, { ...options, batchSize: 4 });
  const [{ evaluation }] = await take(training);
  const { topicLosses, validationLoss } = evaluation!;
  assertEquals(Object.keys(topicLosses!).sort(), ["orders", "returns", "without topic"]);
  for (const [topic, loss] of Object.entries(topicLosses!)) {
    const members = validation.filter((one) => (one.topic ?? "without topic") === topic);
    assertAlmostEquals(loss, (await measureLoss(model, members)).loss, 1e-5);
  }
  assertAlmostEquals(validationLoss!, (await measureLoss(model, validation)).loss, 1e-5);
  release(model);
});

onEveryDevice("a training says which topic no evaluation measures", async (device) => {
  const model = smallModel(device);
  const examples = smallExamples(6).map((one, i) => ({
    ...one,
    topic: i < 5 ? "orders" : "returns",
  }));
  using training = sft(model, { examples, batchSize: 1, evalIters: 2 });
  assertMatch(
    training.notices.join("\n"),
    /No evaluation measures the loss of the topic "returns"/,
  );
  using all = sft(model, { examples, batchSize: 6 });
  assertEquals(all.notices, []);
  await Promise.resolve();
  release(model);
});
