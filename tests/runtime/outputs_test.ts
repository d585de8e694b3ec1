// Collecting outputs as Jupyter's clients do.

import { assertEquals } from "@std/assert";
import { type Displays, OutputCollector, type OutputMessage } from "../../lib/runtime/outputs.ts";

const stream = (text: string, name = "stdout"): OutputMessage => ({
  type: "stream",
  content: { name, text },
});
const display = (
  text: string,
  display_id?: string,
  type: OutputMessage["type"] = "display_data",
): OutputMessage => ({
  type,
  content: { data: { "text/plain": text }, metadata: {}, transient: { display_id } },
});

function collect(messages: OutputMessage[], displays: Displays = new Map()) {
  const collector = new OutputCollector(displays);
  for (const message of messages) collector.add(message, 4);
  return collector.outputs;
}
// deno-lint-ignore no-explicit-any
const texts = (outputs: any[]) => outputs.map((one) => one.text ?? one.data["text/plain"]);

Deno.test("OutputCollector joins neighbouring text of one stream only", () => {
  const outputs = collect([stream("a"), stream("b"), stream("e", "stderr"), stream("c")]);
  assertEquals(texts(outputs), ["ab", "e", "c"]);
  assertEquals(texts(collect([stream("a"), display("d"), stream("b")])), ["a", "d", "b"]);
});

Deno.test("OutputCollector updates every display of an id, in earlier cells too", () => {
  const displays: Displays = new Map();
  const first = collect([display("one", "x"), display("other", "y")], displays);
  const second = collect([
    display("two", "x"),
    display("new", "x", "update_display_data"),
    display("nobody", "z", "update_display_data"),
  ], displays);
  assertEquals(texts(first), ["new", "other"]);
  assertEquals(texts(second), ["new"]);
});

Deno.test("OutputCollector clears at once, or with the next output where told to wait", () => {
  const clear = (wait: boolean): OutputMessage => ({ type: "clear_output", content: { wait } });
  assertEquals(texts(collect([stream("a"), clear(false)])), []);
  assertEquals(texts(collect([stream("a"), clear(true)])), ["a"]);
  assertEquals(texts(collect([stream("a"), clear(true), stream("b")])), ["b"]);
});

Deno.test("OutputCollector numbers results", () => {
  assertEquals(collect([display("r", undefined, "execute_result")]), [
    {
      output_type: "execute_result",
      execution_count: 4,
      data: { "text/plain": "r" },
      metadata: {},
    },
  ]);
});
