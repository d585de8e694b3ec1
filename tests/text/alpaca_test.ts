import { assertEquals, assertThrows } from "@std/assert";
import { formatAlpaca, formatAlpacaInstruction } from "../../lib/text/alpaca.ts";
import { firstCounted, parseMask } from "../../lib/text/mask.ts";

const HEAD = "Below is an instruction that describes a task. " +
  "Write a response that appropriately completes the request.";

Deno.test("formatAlpaca() writes instruction and input", () => {
  assertEquals(
    formatAlpaca({ instruction: "Give the plural.", input: "mouse" }),
    `${HEAD}\n\n### Instruction:\nGive the plural.\n\n### Input:\nmouse\n\n### Response:\n`,
  );
});

Deno.test("formatAlpaca() leaves out an empty or absent input, but not white space", () => {
  const without = `${HEAD}\n\n### Instruction:\nHi\n\n### Response:\n`;
  assertEquals(formatAlpaca({ instruction: "Hi", input: "" }), without);
  assertEquals(formatAlpaca({ instruction: "Hi" }), without);
  assertEquals(
    formatAlpacaInstruction({ instruction: "Hi", input: " " }),
    `${HEAD}\n\n### Instruction:\nHi\n\n### Input:\n `,
  );
});

Deno.test("firstCounted() is at least 1: no token predicts the first", () => {
  for (const mask of ["none", "instruction", "prompt"] as const) {
    assertEquals(firstCounted({ promptIds: [], instructionLength: 0 }, mask), 1);
  }
  const example = { promptIds: [1, 2, 3, 4], instructionLength: 2 };
  assertEquals(firstCounted(example, "none"), 1);
  assertEquals(firstCounted(example, "instruction"), 2);
  assertEquals(firstCounted(example, "prompt"), 4);
});

Deno.test("parseMask() names the masks there are", () => {
  assertEquals(parseMask("prompt"), "prompt");
  const error = assertThrows(() => parseMask("all"), RangeError);
  assertEquals(
    error.message,
    'Cannot use the mask "all": masks are "none", "instruction", "prompt"',
  );
});
