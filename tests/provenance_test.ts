import { assert, assertEquals, assertThrows } from "@std/assert";
import { recorded, recordProvenance } from "../lib/provenance.ts";

Deno.test("recordProvenance() remembers facts in order, as they were", async () => {
  const before = recorded().length;
  const facts = { name: "weights", files: [{ sha256: "00" }] };
  await recordProvenance("weights", facts);
  facts.files.push({ sha256: "11" });
  await recordProvenance("seed", { value: 123 });
  assertEquals(recorded().slice(before), [
    { kind: "weights", name: "weights", files: [{ sha256: "00" }] },
    { kind: "seed", value: 123 },
  ]);
  // What is handed out is a copy.
  recorded()[before].name = "changed";
  assertEquals(recorded()[before].name, "weights");
});

Deno.test("recordProvenance() refuses what JSON would drop or change", () => {
  const before = recorded().length;
  const cycle: Record<string, unknown> = {};
  cycle.again = { cycle };
  for (
    const [value, got] of [
      [undefined, "undefined"],
      [NaN, "NaN"],
      [10n, "10"],
      [new Date(), "an instance"],
      [cycle, "a cycle"],
    ] as const
  ) {
    assertThrows(
      () => recordProvenance("data", { deep: [value] }),
      TypeError,
      `must hold JSON values only, got ${got}`,
    );
  }
  assertThrows(
    () => recordProvenance("", {}),
    TypeError,
    'kind must be a non-empty string, got ""',
  );
  assertThrows(() => recordProvenance("data", [] as never), TypeError, "facts must be an object");
  assertEquals(recorded().length, before);
});

Deno.test("recordProvenance() lets no fact take the kind's place", async () => {
  await recordProvenance("device", { kind: "other", backend: "cpu" });
  assert(recorded().at(-1)!.kind === "device");
});
