// Templates as jinja2 renders them: what Python gave for each is in tests/golden/jinja.json, by jinja.py beside it.

import { assertEquals } from "@std/assert";
import { compileTemplate, TemplateError, text } from "../../../lib/text/jinja/mod.ts";
import golden from "../../golden/jinja.json" with { type: "json" };

const range = ({ positional }: { positional: readonly unknown[] }) => {
  const [a, b, step = 1] = positional as number[];
  const [from, to] = b === undefined ? [0, a!] : [a!, b];
  const count = Math.max(0, Math.ceil((to - from) / step));
  return Array.from({ length: count }, (_, i) => from + i * step);
};

function render(template: string): string | null {
  try {
    return compileTemplate(template).render({
      ...golden.variables,
      range,
      raise_exception: ({ positional }: { positional: readonly string[] }) => {
        throw new TemplateError(text(positional[0]!));
      },
    });
  } catch (error) {
    if (error instanceof TemplateError || error instanceof SyntaxError) return null;
    throw error;
  }
}

for (
  const { kind, cases } of [
    {
      kind: "expressions",
      cases: golden.cases.filter(({ template }) => template.startsWith("{{")),
    },
    {
      kind: "statements",
      cases: golden.cases.filter(({ template }) => !template.startsWith("{{")),
    },
  ]
) {
  Deno.test(`compileTemplate() renders ${cases.length} ${kind} as jinja2 does`, () => {
    const ours = cases.map(({ template }) => ({ template, rendered: render(template) }));
    assertEquals(ours, cases);
  });
}
