// Event files, as TensorBoard itself reads them.

import { assert, assertEquals } from "@std/assert";
import { sft, type Step, TensorBoard } from "../../lib/train/mod.ts";
import { encodeEvent, frameRecord } from "../../lib/train/event_file.ts";
import { assertClose, findPython } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { onOneThread, release, smallExamples, smallModel } from "./small.ts";

const step = (step: number, loss: number, validationLoss?: number): Step => ({
  step,
  totalSteps: 9,
  epoch: 1,
  loss,
  learningRate: 2e-4 / step,
  tokensComputed: 300,
  tokensCounted: 100,
  seconds: 0.5,
  gradientNorm: 3 * loss,
  ...(validationLoss && { evaluation: { trainLoss: loss + 1, validationLoss } }),
});

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
scalars = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
first = events.FirstEventTimestamp()
print(json.dumps({"scalars": scalars, "version": events.file_version, "first": first}))
`;

const python = findPython("tensorboard");

Deno.test({
  name: `TensorBoard reads a training's numbers, and of one that continued${python.needs}`,
  ignore: !python.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    const script = `${temporary.path}/read.py`;
    Deno.writeTextFileSync(script, READ);
    const runs = `${temporary.path}/runs/first`;
    {
      using board = await TensorBoard.open(runs);
      for (const one of [step(1, 4), step(2, 3.5, 3.75), step(3, 3)]) await board.write(one);
    }
    {
      // It was killed after step 3 and continues from a checkpoint of step 2.
      using board = await TensorBoard.open(runs, 2);
      for (const one of [step(3, 2.5), step(4, 2, 2.25)]) await board.write(one);
    }
    const { scalars, version, first } = JSON.parse(await python.run(script, runs));
    assertEquals(version, 2);
    assert(Math.abs(first - Date.now() / 1000) < 600, `${first}`);
    const losses = [[1, 4], [2, 3.5], [3, 2.5], [4, 2]];
    const rates = scalars["train/learning_rate"] as number[][];
    assertClose(rates.map(([, rate]) => rate), [2e-4, 1e-4, 2e-4 / 3, 5e-5], { relative: 1e-6 });
    delete scalars["train/learning_rate"];
    assertEquals(scalars, {
      "train/loss": losses,
      "train/grad_norm": losses.map(([step, loss]) => [step, 3 * loss]),
      "train/tokens_per_second": losses.map(([step]) => [step, 600]),
      "eval/train_loss": [[2, 4.5], [4, 3]],
      "eval/loss": [[2, 3.75], [4, 2.25]],
    });
  },
});

const hex = (bytes: Uint8Array) => bytes.toHex();

Deno.test("frameRecord() masks checksums as TensorFlow does", () => {
  // CRC-32C of "123456789" is e3069283, its check value.
  const record = frameRecord(new TextEncoder().encode("123456789"));
  assertEquals(record.length, 25);
  assertEquals(hex(record.subarray(0, 8)), "0900000000000000");
  assertEquals(new DataView(record.buffer).getUint32(21, true), masked(0xe3069283));
});

/** The mask, in integers of any size. */
function masked(checksum: number): number {
  const crc = BigInt(checksum);
  const rotated = ((crc >> 15n) | (crc << 17n)) & 0xffffffffn;
  return Number((rotated + 0xa282ead8n) & 0xffffffffn);
}

Deno.test("encodeEvent() is protocol buffers' encoding", () => {
  assertEquals(
    hex(encodeEvent({ wallTime: 1, fileVersion: "brain.Event:2" })),
    "09000000000000f03f" + "1a0d" + "627261696e2e4576656e743a32",
  );
  assertEquals(
    hex(encodeEvent({ wallTime: 1, step: 300, scalars: { a: 1 } })),
    "09000000000000f03f" + "10ac02" + "2a0a" + "0a08" + "0a0161" + "150000803f",
  );
  assertEquals(
    hex(encodeEvent({ wallTime: 1, step: 3, sessionStart: true })),
    "09000000000000f03f" + "1003" + "3a02" + "0801",
  );
});

onOneThread("TensorBoard takes the steps of a training as they come", async (device) => {
  using temporary = new TemporaryDirectory();
  const model = smallModel(device);
  using training = sft(model, { examples: smallExamples(6), batchSize: 2, evalEvery: 0 });
  using board = await TensorBoard.open(temporary.path, training.step);
  const sizes = [];
  for await (const step of training) {
    await board.write(step);
    sizes.push(Deno.statSync(board.path).size);
  }
  assert(sizes.length === 3 && sizes[0] < sizes[1] && sizes[1] < sizes[2], `${sizes}`);
  release(model);
});
