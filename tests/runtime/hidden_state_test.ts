// Hidden state: what stored outputs depended on that a fresh run does not have.

import { assertEquals } from "@std/assert";
import { hiddenState } from "../../lib/runtime/hidden_state.ts";
import { code, notebookOf } from "./report/sample.ts";

Deno.test("hiddenState() names what no cell above defines, and cells run out of order", () => {
  const at = (count: number | null) => ({ execution_count: count });
  const notebook = notebookOf(
    code("x + later + gone + Math.PI", [], { id: "a", ...at(5) }),
    code("let later = 1;", [], { id: "b", ...at(2) }),
    code("let y = later; y", [], { id: "c", ...at(3) }),
    code("later = 2;", [], { id: "d", ...at(1) }),
    code("later", [], { id: "e", ...at(4) }),
    code("console.log(1)", [], { id: "f", ...at(null) }),
    code("later = 3;", [], { id: "g", ...at(0) }),
  );
  assertEquals(Object.fromEntries(hiddenState(notebook)), {
    a: [
      '"x" is defined in no cell',
      '"later" is defined only below, in cell 2',
      '"gone" is defined in no cell',
    ],
    d: [
      'it was run before cell 2 above it, which sets "later"',
      'it was run after cell 7 below it, which sets "later"',
    ],
    c: [
      'it was run after cell 4 below it, which sets "later"',
      'it was run after cell 7 below it, which sets "later"',
    ],
    e: ['it was run after cell 7 below it, which sets "later"'],
    g: [
      'it was run before cell 2 above it, which sets "later"',
      'it was run before cell 4 above it, which sets "later"',
    ],
  });
});
