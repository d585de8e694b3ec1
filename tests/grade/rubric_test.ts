// Rubrics in the cells of instructors.

import { assertEquals, assertThrows } from "@std/assert";
import { markSchemeOf } from "../../lib/grade/rubric.ts";
import type { Cell } from "../../lib/runtime/mod.ts";

const cell = (source: string) => ({ cell_type: "markdown", metadata: {}, source }) as Cell;

Deno.test("markSchemeOf() divides a model answer from its rubric, whose items may continue", () => {
  assertEquals(
    markSchemeOf(cell(`Since it adds up.

**Rubric**

- 1 point: the sum
- 1.5 points: a reason that
  goes over two lines
- −1 points: copied from the page
- no item`)),
    {
      scheme: "Since it adds up.\n\n- no item",
      rubric: [
        { id: "item-1", label: "the sum", points: 1 },
        { id: "item-2", label: "a reason that goes over two lines", points: 1.5 },
        { id: "item-3", label: "copied from the page", points: -1 },
      ],
    },
  );
});

Deno.test("markSchemeOf() reads only regions, if there are any", () => {
  const source = `## Question

- 9 points: not a rubric

<!-- BEGIN SOLUTION -->
One.
<!-- END SOLUTION -->

<!-- BEGIN SOLUTION -->
Two.

**Rubric:**

- 2 points: both
<!-- END SOLUTION -->`;
  assertEquals(markSchemeOf(cell(source)), {
    scheme: "One.\n\nTwo.",
    rubric: [{ id: "item-1", label: "both", points: 2 }],
  });
  assertEquals(markSchemeOf(cell(source.replaceAll("SOLUTION", "MARK SCHEME"))).rubric.length, 1);
  assertThrows(() => markSchemeOf(cell("BEGIN SOLUTION")), SyntaxError, 'has no "END SOLUTION"');
});

Deno.test("markSchemeOf() finds no rubric in a plain answer", () => {
  assertEquals(markSchemeOf(cell("Because.")), { scheme: "Because.", rubric: [] });
});
