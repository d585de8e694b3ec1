// docs/data_forms.md says what the code does.

import { assertEquals, assertThrows } from "@std/assert";
import { FORMS, PREFERENCE_FORMS } from "../lib/dataset/forms/mod.ts";
import { parseDataset, parsePreferences } from "../lib/dataset/parse.ts";
import { fillPage, PAGE } from "./data_forms_page.ts";

Deno.test("docs/data_forms.md has the forms of the code", async () => {
  const page = await Deno.readTextFile(PAGE);
  assertEquals(page, fillPage(page), "run: deno run -A tests/data_forms_page.ts");
});

Deno.test("every field that a form lists is understood, and no other", () => {
  const forms = [
    ...FORMS.map((form) => ({ form, parse: parseDataset })),
    ...PREFERENCE_FORMS.map((form) => ({ form, parse: parsePreferences })),
  ];
  for (const { form: { name, title, fields, example }, parse } of forms) {
    for (const field of Object.keys(fields)) {
      const { [field]: value = null } = example;
      parse(JSON.stringify([{ ...example, [field]: value }]), title);
    }
    const more = JSON.stringify([{ ...example, another: 1 }]);
    assertThrows(() => parse(more), TypeError, 'the field "another" (1 of 1) would be lost', name);
  }
});
