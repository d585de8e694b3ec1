import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { liveTraining, progress, type StepRecord } from "../../lib/show/mod.ts";
import { plotlyMimeType } from "../../lib/show/figure.ts";
import { duration } from "../../lib/show/live_state.ts";
import { Clock, RecordingChannel, settle } from "./channel.ts";
import { assertSoundHtml } from "./markup.ts";

const record = (step: number, more: Partial<StepRecord> = {}): StepRecord => ({
  step,
  totalSteps: 100,
  loss: 3 - step / 50,
  learningRate: 5e-5,
  tokensComputed: 280,
  tokensCounted: 105,
  gradientNorm: 1.5,
  ...more,
});

Deno.test("liveTraining() updates one output, at most four times per second", async () => {
  const [channel, clock] = [new RecordingChannel(), new Clock()];
  const live = liveTraining({ title: "Run", channel, now: clock.now });
  for (let step = 1; step <= 100; step++) {
    clock.at += 50;
    live.step(record(step));
  }
  await live.finish();
  assertEquals(channel.outputs.length, 1);
  assertEquals(channel.sent.map(({ type }) => type === "display_data"), [
    true,
    ...new Array(channel.sent.length - 1).fill(false),
  ]);
  // 100 steps in 5 seconds: 20 updates, and the last.
  assertEquals(channel.sent.length, 21);
});

Deno.test("liveTraining() leaves a complete figure in the end", async () => {
  const channel = new RecordingChannel();
  const live = liveTraining({ title: "Run <1>", channel });
  for (let step = 1; step <= 100; step++) {
    live.step(
      record(step, step % 20 === 0 ? { evaluation: { validationLoss: 3.1 - step / 60 } } : {}),
    );
  }
  await live.finish();
  const [output] = channel.outputs;
  assertEquals(Object.keys(output).sort(), [plotlyMimeType, "text/html", "text/plain"].sort());
  assertEquals(output[plotlyMimeType].data[0].y.length, 100);
  const text = assertSoundHtml(output["text/html"]);
  assertMatch(text, /step 100\/100/);
  assertMatch(
    output["text/plain"],
    /^Training ended at step 100\/100: loss 1.0000, validation loss 1.4333\./,
  );
  assertLess(JSON.stringify(output).length, 100_000);
});

Deno.test("liveTraining() sends small updates without scripts", async () => {
  const channel = new RecordingChannel();
  const live = liveTraining({ channel });
  live.step(record(1));
  live.step(record(2));
  await settle();
  assertEquals(channel.sent.length, 1);
  const [{ data }] = channel.sent;
  assertSoundHtml(data["text/html"]);
  assert(!data["text/html"].includes("<script"));
  assert(!(plotlyMimeType in data));
  await live.finish();
});

Deno.test("liveTraining() shows the last step even if none follows", async () => {
  const channel = new RecordingChannel();
  const live = liveTraining({ channel, updatesPerSecond: 100 });
  live.step(record(1));
  live.step(record(2));
  await new Promise((resolve) => setTimeout(resolve, 40));
  assertStringIncludes(channel.outputs[0]["text/html"], "2/100");
  await live.finish();
});

Deno.test("liveTraining() says what is a matter of time, and only that, in marked places", async () => {
  const finals = await Promise.all([10, 50].map(async (milliseconds) => {
    const [channel, clock] = [new RecordingChannel(), new Clock()];
    const live = liveTraining({ channel, now: clock.now });
    for (let step = 1; step <= 5; step++) {
      clock.at += milliseconds;
      live.step(record(step, { seconds: milliseconds / 1000 }));
    }
    await live.finish();
    return channel.outputs[0];
  }));
  const [a, b] = finals.map((output) => ({
    ...output,
    "text/html": output["text/html"].replace(/<span class="tb-number tb-timing".*?<\/span>/g, ""),
  }));
  assert(finals[0]["text/html"] !== finals[1]["text/html"]);
  assertEquals(a, b);
});

Deno.test("liveTraining() measures tokens per second and the time left", async () => {
  const [channel, clock] = [new RecordingChannel(), new Clock()];
  const live = liveTraining({ channel, now: clock.now });
  clock.at = 60_000; // opened long before training starts
  for (let step = 1; step <= 10; step++) {
    clock.at += 500;
    live.step(record(step, { seconds: 0.5 }));
  }
  await settle();
  const html = channel.outputs[0]["text/html"];
  assertStringIncludes(html, "tokens/s <b>560</b>");
  assertStringIncludes(html, "time left <b>45 s</b>");
  await live.finish();
});

Deno.test("liveTraining() warns of a loss that is not a number", async () => {
  const channel = new RecordingChannel();
  const live = liveTraining({ channel });
  live.step(record(1));
  live.step(record(2, { loss: NaN }));
  await live.finish();
  assertStringIncludes(channel.outputs[0]["text/html"], "The loss is not a number");
  assertStringIncludes(channel.outputs[0]["text/plain"], "the loss is not a number");
});

Deno.test("liveTraining().watch() passes steps through and finishes, however the loop ends", async () => {
  const steps = Array.from({ length: 10 }, (_, i) => record(i + 1));
  const whole = new RecordingChannel();
  const seen: number[] = [];
  for await (const { step } of liveTraining({ channel: whole }).watch(steps)) seen.push(step);
  assertEquals(seen, steps.map(({ step }) => step));
  assert(plotlyMimeType in whole.outputs[0]);

  const stopped = new RecordingChannel();
  for await (const { step } of liveTraining({ channel: stopped }).watch(steps)) {
    if (step === 3) break;
  }
  assertMatch(stopped.outputs[0]["text/plain"], /^Training stopped at step 3\/100/);

  const failed = new RecordingChannel();
  async function* failing() {
    yield record(1);
    throw new Error("out of memory");
  }
  await assertRejects(
    async () => {
      for await (const _ of liveTraining({ channel: failed }).watch(failing()));
    },
    Error,
    "out of memory",
  );
  assert(plotlyMimeType in failed.outputs[0]);
});

Deno.test("liveTraining() survives a channel that fails", async () => {
  const live = liveTraining({ channel: { broadcast: () => Promise.reject(new Error("gone")) } });
  live.step(record(1));
  await live.finish();
});

Deno.test("liveTraining() prints lines outside Jupyter, the last step always", async () => {
  const lines: string[] = [];
  const clock = new Clock();
  const live = liveTraining({ print: (line) => lines.push(line), now: clock.now });
  for (let step = 1; step <= 13; step++) {
    clock.at += 1000;
    live.step(record(step, { seconds: 1 }));
  }
  await live.finish();
  assertEquals(lines.map((line) => line.slice(0, 14)), [
    "step 1/100 (1 ",
    "step 6/100 (6 ",
    "step 11/100 (1",
    "step 13/100 (1",
  ]);
  assertEquals(
    lines[1],
    "step 6/100 (6 %)  loss 2.8800  learning rate 5e-5  gradient norm 1.5  280 tokens/s  1 min 34 s left",
  );
  await live.finish();
  assertEquals(lines.length, 4);
});

Deno.test("progress() counts, says the time left, and leaves the end", async () => {
  const [channel, clock] = [new RecordingChannel(), new Clock()];
  const bar = progress("Reading <files>", 10, { channel, now: clock.now, unit: "files" });
  for await (const item of bar.watch(Array.from({ length: 10 }, (_, i) => i))) {
    clock.at += 1000;
    if (item === 5) {
      await settle();
      const text = assertSoundHtml(channel.outputs[0]["text/html"]);
      assertStringIncludes(text, "5/10 files");
      assertStringIncludes(text, "5.0 s left");
    }
  }
  assertEquals(channel.outputs, [channel.outputs[0]]);
  assertEquals(channel.outputs[0]["text/plain"], "Reading <files>: 10/10 files");
  assertStringIncludes(channel.outputs[0]["text/html"], 'aria-valuenow="100"');
});

Deno.test("progress() prints lines outside Jupyter", async () => {
  const lines: string[] = [];
  const clock = new Clock();
  const bar = progress("Reading", undefined, { print: (line) => lines.push(line), now: clock.now });
  for (let i = 0; i < 100; i++) {
    clock.at += 100;
    bar.advance();
  }
  await bar.finish("done");
  assertEquals(lines, ["Reading: 1", "Reading: 51", "Reading: 100, done (10 s)"]);
});

Deno.test("duration() says durations as people do", () => {
  assertEquals([0.42, 9.97, 59.4, 185, 7800, 3599.6, NaN].map(duration), [
    "0.4 s",
    "10 s",
    "59 s",
    "3 min 05 s",
    "2 h 10 min",
    "1 h 00 min",
    "unknown",
  ]);
});
