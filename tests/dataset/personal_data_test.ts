// What is found of 500 labelled texts is what docs/cleaning.md says, and check digits are checked.

import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import {
  findPersonalData,
  maskPersonalData,
  PERSONAL_KINDS,
} from "../../lib/dataset/personal_data.ts";
import { isCardNumber, isIban } from "../../lib/dataset/personal/numbers.ts";
import { LABELLED, measure } from "./personal_set.ts";

Deno.test("docs/cleaning.md states the recall and precision on the labelled set", async () => {
  assertEquals(LABELLED.length, 500);
  const page = await Deno.readTextFile(new URL("../../docs/cleaning.md", import.meta.url));
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) of (\d+) \| (\d+) of (\d+) \|/gm)];
  const counts = measure(findPersonalData);
  assertEquals(
    rows.map(([, kind, ...numbers]) => [kind, ...numbers.map(Number)]),
    PERSONAL_KINDS.map((kind) => {
      const { found, labels, findings } = counts[kind];
      return [kind, found, labels, found, findings];
    }),
  );
});

Deno.test("numbers with check digits are all found, and others are not taken for them", () => {
  const counts = measure(findPersonalData);
  for (const kind of ["email", "iban", "card", "ip"] as const) {
    assertEquals(counts[kind].found, counts[kind].labels, kind);
    assertEquals(counts[kind].found, counts[kind].findings, kind);
    assertGreaterOrEqual(counts[kind].labels, 25);
  }
});

Deno.test("isCardNumber() takes the schemes' published test numbers, and no other last digit", () => {
  for (
    const number of [
      "4111 1111 1111 1111",
      "5555-5555-5555-4444",
      "378282246310005",
      "6011111111111117",
    ]
  ) {
    assertEquals(isCardNumber(number), true, number);
    for (let digit = 0; digit < 10; digit++) {
      const other = number.slice(0, -1) + digit;
      assertEquals(isCardNumber(other), other === number, other);
    }
  }
  assertEquals(isCardNumber("0000 0000 0000 0000"), false);
});

Deno.test("isIban() takes the registry's examples, and no other check digits", () => {
  for (
    const iban of [
      "GB29 NWBK 6016 1331 9268 19",
      "DE89370400440532013000",
      "FR1420041010050500013M02606",
      "NO9386011117947",
    ]
  ) {
    assertEquals(isIban(iban), true, iban);
    const [country, check, rest] = [iban.slice(0, 2), iban.slice(2, 4), iban.slice(4)];
    assertEquals(
      isIban(country + String((Number(check) + 1) % 100).padStart(2, "0") + rest),
      false,
    );
  }
});

Deno.test("findPersonalData() finds without overlaps, whatever it looks for", () => {
  const text =
    "Mr Smith (j.smith@example.org, card 4111 1111 1111 1111) left 10.0.0.1 for Paris's suburbs.";
  const all = findPersonalData(text);
  assertEquals(all.map(({ kind, text }) => [kind, text]), [
    ["name", "Smith"],
    ["email", "j.smith@example.org"],
    ["card", "4111 1111 1111 1111"],
    ["ip", "10.0.0.1"],
    ["place", "Paris"],
  ]);
  assertEquals(findPersonalData(text, { kinds: ["phone"] }), []);
  assertEquals(
    maskPersonalData(text, all),
    "Mr [NAME] ([EMAIL], card [CARD]) left [IP] for [PLACE]'s suburbs.",
  );
});
