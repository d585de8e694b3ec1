// Templates as jinja2 renders them: what Python gave for each is in tests/golden/jinja.json, by jinja.py beside it.

import { assertEquals, assertThrows } from "@std/assert";
import { type ChatEntry, parseDataset } from "../../../lib/dataset/mod.ts";
import { ChatTemplate } from "../../../lib/text/mod.ts";
import { compileTemplate, rangeOf, TemplateError, text } from "../../../lib/text/jinja/mod.ts";
import { strftime } from "../../../lib/text/strftime.ts";
import golden from "../../golden/jinja.json" with { type: "json" };

const range = ({ positional }: { positional: readonly unknown[] }) => {
  const [a, b, step = 1] = positional as number[];
  const [from, to] = b === undefined ? [0, a!] : [a!, b];
  return rangeOf(from, to, step);
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

Deno.test("what is not built is refused by name", () => {
  for (
    const [template, name] of [
      ["{{ [1]|pprint }}", '"pprint" is not supported'],
      ["{{ 'http://a.b'|urlize }}", '"urlize" is not supported'],
      ["{{ [1]|random }}", '"random" is not supported'],
      ["{{ lipsum() }}", '"lipsum" is not supported'],
      ["{{ self }}", '"self" is not supported'],
      ["{{ 'a'.encode() }}", '"encode" of'],
      ["{{ (1.5).hex() }}", '"hex" of'],
      ["{{ '{0.a}'.format(1) }}", '"{0.a}" looks into a value'],
      ["{{ '{:08,}'.format(1234) }}", "zeros before grouped digits"],
      ["{{ '&Omega;'|striptags }}", '"&Omega;"'],
      ["{{ (-8) ** 0.5 }}", "complex number"],
      ["{% autoescape true %}{% endautoescape %}", '"autoescape" is supported only as'],
      ["{% block a %}{% block b %}{% endblock %}{% endblock %}", 'the block "b" is within'],
      ["{% for x in xs %}{% block b %}{% endblock %}{% endfor %}", 'the block "b" is within'],
      ["{% block a required %}{% endblock %}", 'the block "a" is "required"'],
      ["{% extends 'a' %}", "extends"],
      ["{% include 'a' %}", "include"],
      ["{% import 'a' as b %}", "import"],
    ]
  ) {
    assertThrows(() => compileTemplate(template!).render({ ...golden.variables }), Error, name!);
  }
});

for (const { json, rendered } of golden.arguments) {
  const shown = json.length > 100 ? `${json.slice(0, 100)}…` : json;
  Deno.test(`A template writes the arguments ${shown} of a tool as Python reads them`, () => {
    const call = `{"type": "function", "function": {"name": "f", "arguments": ${json}}}`;
    const asked = '{"role": "user", "content": "Go."}';
    for (
      const called of [
        `{"messages": [${asked}, {"role": "assistant", "tool_calls": [${call}]}]}`,
        `[{"messages": [${asked}, {"role": "assistant", "tool_calls": ${
          JSON.stringify(`[${call}]`)
        }}]}]`,
        `{"conversations": [{"from": "human", "value": "Go."}, {"from": "function_call", "value": ${
          JSON.stringify(`{"name": "f", "arguments": ${json}}`)
        }}]}`,
      ]
    ) {
      const [{ messages }] = parseDataset(called) as [ChatEntry];
      const ours = rendered.map(([template]) => {
        const begun = "{% set a = messages[1].tool_calls[0].function.arguments %}";
        try {
          return [template, new ChatTemplate(begun + template).render(messages)];
        } catch {
          return [template, null];
        }
      });
      assertEquals(ours, rendered);
    }
  });
}

Deno.test("strftime() writes dates as Python's does", () => {
  for (const { date, written } of golden.dates) {
    const [year, month, ...rest] = date as [number, number, number, number, number, number];
    const ours = written.map((
      [format],
    ) => [format, strftime(format!, new Date(year, month - 1, ...rest))]);
    assertEquals(ours, written);
  }
});

Deno.test("whole numbers that JavaScript rounds are refused, not written otherwise", () => {
  assertThrows(() => compileTemplate("{{ 9007199254740993 }}"), SyntaxError, "9007199254740993");
  const { render } = compileTemplate("{{ n }}");
  assertEquals(render({ n: 2 ** 53 - 1 }), "9007199254740991");
  assertEquals(render({ n: 12n }), "12");
  assertEquals(render({ n: 10n ** 20n }), "100000000000000000000");
  for (const n of [2 ** 53, -(2 ** 60), 1e20]) {
    assertThrows(() => render({ n }), TemplateError, `the whole number ${n} is too large`);
  }
  const computed = compileTemplate("{{ n + 1 }}");
  assertThrows(() => computed.render({ n: 10n ** 20n }), TemplateError, "too large");
});
