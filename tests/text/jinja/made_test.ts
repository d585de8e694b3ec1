// Expressions that a program makes, rendered here and by jinja2, and templates that would never end.

import { assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import fc from "fast-check";
import {
  type Arguments,
  BudgetError,
  compileTemplate,
  TemplateError,
} from "../../../lib/text/jinja/mod.ts";
import { ChatTemplate } from "../../../lib/text/mod.ts";
import { findPython } from "../../support.ts";

const python = findPython("transformers", "jinja2");

const VARIABLES = {
  s: "Hello, World",
  t: " a\tb\n",
  u: "Größe 😀",
  n: 7,
  z: 0,
  x: 2.5,
  yes: true,
  none1: null,
  xs: [3, 1, 2],
  ws: ["pear", "Apple", "fig", "apple"],
  d: { b: 1, a: 2 },
  ps: [{ name: "Bo", age: 30 }, { name: "al", age: 25 }, { name: "Cy" }],
};

const name = fc.constantFrom(...Object.keys(VARIABLES), "missing");
const literal = fc.constantFrom(
  ...["1", "-2", "0", "1.5", "'a'", "''", "'l'", "True", "none", "[1, 'b']", "{'k': 1}", "(1, 2)"],
);
const filter = fc.constantFrom(
  ...["upper", "lower", "length", "list", "first", "last", "sort", "unique|list", "join(',')"],
  ...["string", "int", "float", "abs", "round", "trim", "title", "capitalize", "tojson", "sum"],
  ...["default('D')", "default('D', true)", "reverse|list", "map('string')|list", "select|list"],
  ...["map(attribute='name')|list", "selectattr('age')|list|length", "replace('l', 'L')", "min"],
  ...["max", "indent(2)", "dictsort", "items|list", "count", "wordcount", "e", "batch(2)|list"],
);
const method = fc.constantFrom(
  ...["upper()", "strip()", "lstrip('H')", "split(',')", "split()", "startswith('H')", "title()"],
  ...["replace('l', '')", "find('o')", "items()|list", "get('a')", "get('q', 5)", "keys()|list"],
  ...["count('l')", "join(['x', 'y'])", "splitlines()", "zfill(5)", "isdigit()", "name", "a"],
);
const test = fc.constantFrom(
  ...["defined", "none", "string", "number", "mapping", "sequence", "iterable", "true", "odd"],
  ...["in [1, 7]", "eq 7", "gt 1", "divisibleby 2", "sameas none", "lower", "integer", "float"],
);
const operator = fc.constantFrom(
  ...["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"],
);
const index = fc.constantFrom("0", "-1", "9", "'a'", "1:", ":-1", "::-1", "::2", "n");

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const e = tie("expression");
  const put = (...parts: (string | fc.Arbitrary<string>)[]) =>
    fc.tuple(...parts.map((part) => typeof part === "string" ? fc.constant(part) : part))
      .map((texts) => texts.join(""));
  return {
    expression: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      name,
      literal,
      put("(", e, " ", operator, " ", e, ")"),
      put(e, " ", operator, " ", e),
      put("(", e, ")|", filter),
      put(e, "|", filter),
      put("(", e, ").", method),
      put(name, ".", method),
      put(e, " is ", test),
      put(e, " is not ", test),
      put("(not ", e, ")"),
      put(name, "[", index, "]"),
      put("(", e, " if ", e, " else ", e, ")"),
      put("[", e, ", ", e, "]"),
    ),
  };
});

/** What writes addresses of memory, or numbers of more digits than a number here has. */
const UNLIKE = /Markup|generator object|built-in method|object at 0x|dict_keys|\d{16}/;

function render(template: string): string | null {
  try {
    return compileTemplate(template).render(VARIABLES);
  } catch (error) {
    if (error instanceof TemplateError || error instanceof SyntaxError) return null;
    if (error instanceof RangeError) return `${error.message}`;
    throw error;
  }
}

Deno.test({
  name: `compileTemplate() renders 3,000 made expressions as jinja2 does${python.needs}`,
  ignore: !python.found,
  async fn() {
    const made = fc.sample(expression, { numRuns: 3000, seed: 20261128 });
    const templates = made.map((text) => `{{ ${text} }}`);
    const file = await Deno.makeTempFile({ suffix: ".json" });
    try {
      await Deno.writeTextFile(file, JSON.stringify(templates.map((text) => [text, VARIABLES])));
      const script = fromFileUrl(new URL("peer.py", import.meta.url));
      const theirs: (string | null)[] = JSON.parse(await python.run(script, file));
      const differing = templates
        .map((template, i) => ({ template, ours: render(template), theirs: theirs[i]! }))
        .filter(({ ours, theirs }) => ours !== theirs && !UNLIKE.test(`${theirs} ${ours}`));
      assertEquals(differing, []);
    } finally {
      await Deno.remove(file);
    }
  },
});

for (
  const [what, template] of Object.entries({
    "loops within loops":
      "{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}",
    "a text that doubles":
      "{% set ns = namespace(t='ab') %}{% for a in r %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
    "a list that doubles":
      "{% set ns = namespace(t=[1]) %}{% for a in r %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
    "a repetition": "{{ 'a' * 10 ** 12 }}",
    "a width": "{{ '%999999999d' % 1 }}",
    "a replacement": "{{ ('a' * 100000)|replace('a', 'b' * 100000) }}",
    "much text": "{% for a in r %}{{ 'x' * 1000000 }}{% endfor %}",
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
  })
) {
  Deno.test(`compileTemplate() ends ${what}`, () => {
    const error = assertThrows(() =>
      compileTemplate(template).render({ r: Array.from({ length: 200 }, (_, i) => i) })
    );
    if (!(error instanceof BudgetError || error instanceof RangeError)) throw error;
  });
}

Deno.test("ChatTemplate.render() refuses a template that counts without end", () => {
  const template = new ChatTemplate("{% for a in range(10 ** 9) %}{% endfor %}");
  assertThrows(() => template.render([]), RangeError, "counts beyond");
});

Deno.test("compileTemplate() gives arguments to functions as Python does", () => {
  const seen: Arguments[] = [];
  const template = compileTemplate("{{ f(1, *[2, 3], a=4, **{'b': 5}) }}");
  template.render({ f: (args: Arguments) => (seen.push(args), "") });
  assertEquals(seen.map(({ positional, named }) => [positional, [...named]]), [
    [[1, 2, 3], [["a", 4], ["b", 5]]],
  ]);
});
