// The way out of the kernel: marked lines and other text, cut anywhere.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { PipeReader } from "../../lib/runtime/pipe_reader.ts";

function read(pieces: string[]): unknown[] {
  const events: unknown[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") events.push(text);
    text = "";
  };
  const reader = new PipeReader(
    (message) => (flush(), events.push(message)),
    (piece) => text += piece,
  );
  for (const piece of pieces) reader.push(piece);
  flush();
  return events;
}

Deno.test("PipeReader tells messages from text, however the bytes are cut", () => {
  const whole = 'native\n\x1e{"type":"ready"}\nmore\x1e{"type":"exit","code":3}\n\x1e{"ty';
  const expected = ["native\n", { type: "ready" }, "more", { type: "exit", code: 3 }];
  fc.assert(fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
    const places = [0, ...cuts.sort((a, b) => a - b), whole.length];
    const pieces = places.slice(1).map((place, index) => whole.slice(places[index], place));
    assertEquals(read(pieces), expected);
  }));
});

Deno.test("PipeReader shows a line that native code broke as text", () => {
  assertEquals(read(['\x1e{"type":"re!!!ady"\n', '\x1e{"type":"ready"}\n']), [
    '{"type":"re!!!ady"\n',
    { type: "ready" },
  ]);
});

Deno.test("PipeReader takes a worker's line out of the middle of another", () => {
  const line = (code: number) => `\x1e{"type":"exit","code":${code}}\n`;
  const outer = line(1);
  for (let at = 1; at < outer.length; at++) {
    const text = outer.slice(0, at) + line(2) + line(3) + outer.slice(at);
    const codes = (read([text, "after"]) as { code: number }[]).map((one) => one.code ?? one);
    assertEquals(codes, [2, 3, 1, "after"]);
  }
});

Deno.test("PipeReader reads 40 MB in small pieces in linear time", () => {
  const piece = "x".repeat(4096);
  const events: unknown[] = [];
  const reader = new PipeReader((message) => events.push(message), () => {});
  const started = performance.now();
  reader.push('\x1e{"type":"exit","x":"');
  for (let i = 0; i < 10_000; i++) reader.push(piece);
  reader.push('"}\n');
  assertEquals(events.length, 1);
  // Quadratic reading took half a minute; a loaded machine gets its time.
  assertEquals(performance.now() - started < 10_000, true);
});
