import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Gpt2 } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { findCheckpoint, removeCheckpoints } from "../../lib/train/checkpoint.ts";
import { sft, type SftOptions } from "../../lib/train/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import {
  onOneThread,
  release,
  smallExamples,
  smallModel,
  take,
  timeless,
  weightsOf,
} from "./small.ts";

const quick: SftOptions = {
  examples: smallExamples(10),
  batchSize: 3,
  dropLast: true,
  epochs: 2,
  evalEvery: 2,
  evalIters: 1,
  learningRate: 1e-3,
};

/** Options of a training with checkpoints after every second step. */
function kept(directory: string, options: Partial<SftOptions> = {}): SftOptions {
  return { ...quick, checkpoint: { directory, every: 2 }, ...options };
}

/** Trains a fresh model for some steps and lets everything go, as a killed process does. */
async function trainAndDie(
  device: Device,
  options: SftOptions,
  count: number,
  seed?: number,
): Promise<ReturnType<typeof timeless>> {
  const model = smallModel(device, {}, seed);
  using training = sft(model, options);
  const steps = timeless(await take(training, count));
  release(model);
  return steps;
}

const names = (directory: string) => Array.from(Deno.readDirSync(directory), ({ name }) => name);

onEveryDevice("sft() resumes to the same bits: weights, moments, steps", async (device) => {
  using temporary = new TemporaryDirectory();
  const [whole, parts] = ["whole", "parts"].map((name) => `${temporary.path}/${name}`);
  const undisturbed = smallModel(device);
  using expected = sft(undisturbed, kept(whole));
  const steps = timeless(await take(expected));

  await trainAndDie(device, kept(parts), 3); // the checkpoint is of step 2
  const second = await trainAndDie(device, kept(parts, { resume: true }), 3);
  assertEquals(second, steps.slice(2, 5));
  // Whatever the model holds before is overwritten.
  const model = smallModel(device, {}, 99);
  using training = sft(model, kept(parts, { resume: true }));
  await training.start();
  assertEquals([training.step, training.resumedFrom], [4, `${parts}/step-000004`]);
  assertEquals(timeless(await take(training)), steps.slice(4));
  assertEquals(await weightsOf(model), await weightsOf(undisturbed));
  for (const file of ["model.safetensors", "optimizer.safetensors"]) {
    const [a, b] = [whole, parts].map((at) => Deno.readFileSync(`${at}/step-000006/${file}`));
    assertEquals(a, b, file);
  }
  release(undisturbed, model);
});

onOneThread("sft() resumes dropout and several epochs to the same bits", async (device) => {
  using temporary = new TemporaryDirectory();
  const options = kept(temporary.path, { order: "shuffled" });
  const make = () => smallModel(device, { dropout: 0.1 });
  const [undisturbed, first, second] = [make(), make(), make()];
  using expected = sft(undisturbed, { ...quick });
  await take(expected);
  using dies = sft(first, options);
  await take(dies, 4);
  using training = sft(second, { ...options, resume: true });
  assertEquals((await take(training)).map(({ step, epoch }) => [step, epoch]), [[5, 2], [6, 2]]);
  assertEquals(await weightsOf(second), await weightsOf(undisturbed));
  release(undisturbed, first, second);
});

onOneThread(
  "a checkpoint is written when the loop's body is through with its step",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const model = smallModel(device);
    using training = sft(model, kept(temporary.path));
    const newest: (number | undefined)[] = [];
    for await (const _ of training) {
      newest.push((await findCheckpoint(temporary.path))?.state.step);
    }
    // So what the body logs of a step is on the disk before the step counts as done.
    assertEquals(newest, [undefined, undefined, 2, 2, 4, 4]);
    assertEquals(names(temporary.path), ["step-000006"]);
    release(model);
  },
);

onOneThread("Training.save() writes at once, and once for a step", async (device) => {
  using temporary = new TemporaryDirectory();
  const model = smallModel(device);
  using training = sft(model, kept(temporary.path, { checkpoint: { directory: temporary.path } }));
  assertEquals(await training.save(), `${temporary.path}/step-000000`);
  await take(training, 3);
  const path = await training.save();
  assertEquals(names(temporary.path), ["step-000003"]);
  const { mtime, ino } = Deno.statSync(`${path}/training.json`);
  assertEquals(await training.save(), path);
  const again = Deno.statSync(`${path}/training.json`);
  assertEquals([again.mtime, again.ino], [mtime, ino]);
  using bare = sft(model, quick);
  await assertRejects(() => bare.save(), TypeError, 'without "checkpoint.directory"');
  release(model);
});

onOneThread("half a checkpoint does not count, and is removed", async (device) => {
  using temporary = new TemporaryDirectory();
  const options = kept(temporary.path);
  await trainAndDie(device, options, 2);
  // What kills can leave: a directory that is being written, and one that is being removed.
  for (const name of [".step-000004.unfinished", ".step-000001.discarded"]) {
    Deno.mkdirSync(`${temporary.path}/${name}`);
    Deno.writeTextFileSync(`${temporary.path}/${name}/model.safetensors`, "half");
  }
  Deno.writeTextFileSync(`${temporary.path}/step-000009`, "a file");
  Deno.mkdirSync(`${temporary.path}/step-12`);
  assertEquals((await findCheckpoint(temporary.path))?.state.step, 2);
  assertEquals((await trainAndDie(device, { ...options, resume: true }, 9))[0].step, 3);
  assertEquals(names(temporary.path).sort(), ["step-000006", "step-000009", "step-12"]);
});

onOneThread(
  "sft() that starts again replaces an earlier training's checkpoints",
  async (device) => {
    using temporary = new TemporaryDirectory();
    await trainAndDie(device, kept(temporary.path), 9);
    assertEquals(names(temporary.path), ["step-000006"]);
    await trainAndDie(device, kept(temporary.path, { seed: 5 }), 2);
    assertEquals(names(temporary.path), ["step-000002"]); // not the other's step 6
    assertEquals((await findCheckpoint(temporary.path))?.state.options.seed, 5);
  },
);

onOneThread("sft() starts at the beginning if there is no checkpoint to resume", async (device) => {
  using temporary = new TemporaryDirectory();
  const [{ step }] = await trainAndDie(device, kept(temporary.path, { resume: true }), 1);
  assertEquals(step, 1);
  assertEquals(await findCheckpoint(`${temporary.path}/nowhere`), undefined);
});

onOneThread(
  "sft() refuses to resume a training with other options, and names them",
  async (device) => {
    using temporary = new TemporaryDirectory();
    await trainAndDie(device, kept(temporary.path), 2);
    const refused = async (options: Partial<SftOptions>, model: Gpt2 = smallModel(device)) => {
      using training = sft(model, kept(temporary.path, { resume: true, ...options }));
      const before = await weightsOf(model);
      const { message } = await assertRejects(() => training.start(), RangeError);
      assertEquals(await weightsOf(model), before);
      release(model);
      return message.replace(temporary.path, "");
    };
    assertEquals(
      await refused({ learningRate: 1e-4, seed: 5 }),
      'Cannot resume from "/step-000002": it was made with other options ' +
        "(seed was 123, is 5; learningRate was 0.001, is 0.0001)",
    );
    const others: [Partial<SftOptions>, RegExp][] = [
      [{ mask: "none" }, /\(mask was "prompt", is "none"\)$/],
      [{ batchSize: 2 }, /\(batchSize was 3, is 2\)$/],
      [{ order: [[0, 1], [2]] }, /\(order was "shuffled", is "[0-9a-f]{64}"\)$/],
      [{ accumulate: 2 }, /\(accumulate was not set, is 2\)$/],
      [{ warmup: 3 }, /\(warmup was not set, is 3\)$/],
      [
        { examples: smallExamples(10).map((one) => ({ ...one, weight: 2 })) },
        /\(weights was not set, is "[0-9a-f]{64}"\)$/,
      ],
      [{ maxGradientNorm: 1 }, /\(maxGradientNorm was null, is 1\)$/],
      [{ examples: smallExamples(10, 8) }, /\(examples was "[0-9a-f]{64}", is "[0-9a-f]{64}"\)$/],
      [{ maxSteps: 1 }, /: it is after step 2, and 1 steps are asked for$/],
    ];
    for (const [options, expected] of others) {
      const message = await refused(options);
      assertEquals(expected.test(message), true, message);
    }
    const heads = smallModel(device, { heads: 4 }); // the same shapes, another model
    assertEquals(/\(model.n_head was 2, is 4\)$/.test(await refused({}, heads)), true);
  },
);

onOneThread("sft() tells orders apart that differ in their batches only", async (device) => {
  using temporary = new TemporaryDirectory();
  await trainAndDie(device, kept(temporary.path, { order: [[0, 1], [2], [3]] }), 2);
  const model = smallModel(device);
  using training = sft(model, kept(temporary.path, { order: [[0], [1, 2], [3]], resume: true }));
  await assertRejects(() => training.start(), RangeError, "order was");
  release(model);
});

onOneThread("sft() may be prolonged when it is resumed", async (device) => {
  using temporary = new TemporaryDirectory();
  await trainAndDie(device, kept(temporary.path, { maxSteps: 3 }), 9);
  const steps = await trainAndDie(device, kept(temporary.path, { resume: true }), 9);
  const whole = await trainAndDie(device, quick, 9);
  assertEquals(steps.map(({ loss }) => loss), whole.slice(3).map(({ loss }) => loss));
});

onOneThread("sft() asks before it resumes to other bits", async (device) => {
  using temporary = new TemporaryDirectory();
  await trainAndDie(device, kept(temporary.path), 2);
  const two = new CpuDevice({ threads: 2, blas: false });
  const model = smallModel(two);
  const asked: string[][] = [];
  for (const answer of [undefined, false, true]) {
    using training = sft(
      model,
      kept(temporary.path, {
        resume: true,
        ...(answer !== undefined && {
          confirmOtherBits(differences) {
            asked.push([...differences]);
            return answer;
          },
        }),
      }),
    );
    if (answer) assertEquals((await take(training, 1))[0].step, 3);
    else {
      await assertRejects(
        () => take(training),
        RangeError,
        "to the same bits: threads was 1, is 2",
      );
      assertEquals(training.step, 0);
    }
  }
  assertEquals(asked, [["threads was 1, is 2"], ["threads was 1, is 2"]]);
  two.close();
});

onOneThread("a damaged checkpoint is told in one sentence, the model untouched", async (device) => {
  using temporary = new TemporaryDirectory();
  await trainAndDie(device, kept(temporary.path), 2);
  const checkpoint = `${temporary.path}/step-000002`;
  const damages: [string, (whole: Uint8Array) => Uint8Array, string][] = [
    ["training.json", (whole) => whole.subarray(0, 50), 'Cannot read "'],
    [
      "training.json",
      () => new TextEncoder().encode('{"version": 2}'),
      "expected version 1 of a training's state",
    ],
    ["training.json", () => new TextEncoder().encode("null"), "expected version 1"],
    ["model.safetensors", (whole) => whole.subarray(0, whole.length - 4), "model.safetensors"],
    ["model.safetensors", () => new Uint8Array(), "model.safetensors"],
    [
      "optimizer.safetensors",
      (whole) => whole.subarray(0, whole.length / 2),
      "optimizer.safetensors",
    ],
    [
      "optimizer.safetensors",
      // the same file with a tensor of another name: what is looked for is missing
      (whole) => {
        const copy = whole.slice();
        const at = new TextDecoder("latin1").decode(copy).indexOf("mean/ln_f.bias");
        copy[at] = "n".charCodeAt(0);
        return copy;
      },
      "optimizer.safetensors is not what was written",
    ],
    // A single bit.
    ...["model.safetensors", "optimizer.safetensors", "config.json", "training.json"].map((
      name,
    ): typeof damages[number] => [
      name,
      (whole) => {
        const copy = whole.slice();
        const text = new TextDecoder("latin1").decode(copy);
        copy[name === "training.json" ? text.indexOf('"step": ') + 8 : copy.length - 2] ^= 1;
        return copy;
      },
      `${name} is not what was written`,
    ]),
  ];
  for (const [name, damage, expected] of damages) {
    const file = `${checkpoint}/${name}`;
    const whole = Deno.readFileSync(file);
    Deno.writeFileSync(file, damage(whole));
    const model = smallModel(device, {}, 3);
    const before = await weightsOf(model);
    using training = sft(model, kept(temporary.path, { resume: true }));
    const { message } = await assertRejects(() => training.start(), Error, expected);
    assertEquals(message.includes("\n"), false, message);
    assertEquals(message.includes(name), true, message);
    assertEquals(await weightsOf(model), before);
    release(model);
    Deno.writeFileSync(file, whole);
  }
  Deno.renameSync(checkpoint, `${temporary.path}/step-000004`);
  await assertRejects(() => findCheckpoint(temporary.path), SyntaxError, "is of step 2");
  Deno.renameSync(`${temporary.path}/step-000004`, checkpoint);
  Deno.removeSync(`${checkpoint}/training.json`);
  await assertRejects(() => findCheckpoint(temporary.path), SyntaxError, "training.json");
});

onOneThread(
  "a checkpoint's model is one that loads, and removeCheckpoints() leaves nothing",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const { loadNetwork } = await import("../../lib/model/mod.ts");
    const directory = `${temporary.path}/checkpoint`;
    const model = smallModel(device);
    const untrained = await weightsOf(model);
    using training = sft(model, kept(directory));
    await take(training, 2);
    const { network: loaded } = await loadNetwork(`${directory}/step-000002`, { device });
    assertEquals(await weightsOf(loaded as Gpt2), await weightsOf(model));
    assertNotEquals(await weightsOf(model), untrained);
    await removeCheckpoints(directory);
    assertEquals(names(temporary.path), []);
    await removeCheckpoints(directory); // once more does no harm
    release(model, loaded as Gpt2);
  },
);
