// Progress: a bar in a terminal, plain lines elsewhere.

import { assertEquals } from "@std/assert";
import { progress, type ProgressOptions } from "../../lib/cli/progress.ts";

function record(options: ProgressOptions) {
  const written: string[] = [];
  return { written, options: { ...options, write: (text: string) => void written.push(text) } };
}

Deno.test("progress() draws a bar over itself in a terminal, and takes it away", () => {
  const { written, options } = record({ terminal: true, columns: 60 });
  const bar = progress("train", 4, options);
  bar.update(1, "loss 2");
  bar.update(2, "drawn too soon");
  bar.update(4, "loss 1\nloss 0.5\x1b[31m");
  bar.finish("done");
  assertEquals(written, [
    "\rtrain █████░░░░░░░░░░░░░░░ 1/4 loss 2\x1b[K",
    "\rtrain ████████████████████ 4/4 loss 0.5\x1b[K",
    "\r\x1b[Ktrain done\n",
  ]);
});

Deno.test("progress() never draws more than one line", () => {
  const { written, options } = record({ terminal: true, columns: 40 });
  progress("train", 4, options).update(4, "ü".repeat(100));
  const drawn = written[0].slice(1, -3);
  assertEquals([[...drawn].length, drawn.at(-1)], [39, "…"]);
});

Deno.test("progress() leaves lines that are kept above the bar, whole", () => {
  const { written, options } = record({ terminal: true, columns: 30 });
  const bar = progress("train", 4, options);
  bar.update(1, "loss 2");
  bar.keep(2, "loss 1, validation 1.5, rate 0.001", "loss 1");
  bar.update(4, "loss 1");
  assertEquals(written, [
    "\rtrain ███░░░░░░░░░ 1/4 loss 2\x1b[K",
    "\r\x1b[Ktrain 2/4 loss 1, validation 1.5, rate 0.001\n",
    "\rtrain ██████░░░░░░ 2/4 loss 1\x1b[K",
    "\rtrain ████████████ 4/4 loss 1\x1b[K",
  ]);
  const elsewhere = record({ terminal: false });
  const lines = progress("train", 4, elsewhere.options);
  lines.update(1, "a");
  lines.update(2, "too soon");
  lines.keep(3, "kept");
  lines.finish();
  assertEquals(elsewhere.written, ["train 1/4 a\n", "train 3/4 kept\n"]);
});

Deno.test("progress() gives words the columns of the bar", () => {
  const { written, options } = record({ terminal: true, columns: 40 });
  const text = "loss 2.346, lr 1e-4, 3 min left";
  progress("t", 4, options).update(4, text);
  assertEquals(written, [`\rt █ 4/4 ${text}\x1b[K`]);
});

Deno.test("progress() writes plain lines elsewhere, some time apart, the last always", () => {
  const { written, options } = record({ terminal: false });
  const lines = progress("train", 3, options);
  lines.update(1, "a\tb\r\n");
  lines.update(2, "too soon");
  lines.update(3);
  lines.finish();
  assertEquals(written, ["train 1/3 a b\n", "train 3/3\n"]);
});

Deno.test("progress() writes a line that came too soon a while later", async () => {
  const { written, options } = record({ terminal: false, interval: 50 });
  const lines = progress("train", 9, options);
  lines.update(1);
  lines.update(2);
  lines.update(3);
  assertEquals(written, ["train 1/9\n"]);
  await new Promise((done) => setTimeout(done, 200));
  assertEquals(written, ["train 1/9\n", "train 3/9\n"]);
  lines.update(4);
  lines.update(5);
  lines.finish();
  assertEquals(written.at(-1), "train 4/9\n");
});

Deno.test("progress() needs no total", () => {
  const { written, options } = record({ terminal: false });
  const lines = progress("load", undefined, options);
  lines.update(7, "bytes");
  lines.finish("7 bytes");
  assertEquals(written, ["load 7 bytes\n", "load 7 bytes\n"]);
});
