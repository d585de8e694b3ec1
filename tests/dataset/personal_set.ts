/**
 * 500 labelled texts with personal data, and with what only looks like them. Sentences are written by hand, values are made by
 * a seed; names and places are drawn from lists of their own, a part of which the library's lists do not have.
 */

import { PERSONAL_KINDS, type PersonalKind } from "../../lib/dataset/personal_data.ts";
import { Random } from "../../lib/random.ts";

/** A text, and the personal data in it. */
export interface LabelledText {
  text: string;
  spans: { kind: PersonalKind; start: number; end: number }[];
}

const random = new Random(2026);
const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)]!;
const digits = (count: number) => Array.from({ length: count }, () => random.integer(10)).join("");

const GIVEN =
  `Maria James Sofia Ahmed Priya Thomas Elena Hiroshi Fatima Daniel Charlotte Kwame Siobhan Zsofia Tendai Oluwaseun
  Bjarne Anneliese Thandiwe Xiomara`.split(/\s+/);
const FAMILY =
  `Lopez Smith Okafor Nakamura Schneider Petrov Rossi Novak Haddad Andersson Dubois Murphy Tanaka Kowalski
  van Houten O'Brien`.split(/\n|(?<!van) /).map((name) => name.trim()).filter((name) =>
    name !== ""
  );
const PLACES = [
  "Lisbon",
  "Berlin",
  "New York",
  "Nairobi",
  "Kyoto",
  "Buenos Aires",
  "Manchester",
  "Oslo",
  "Toronto",
  "Mumbai",
  "Tuttlingen",
  "Abergavenny",
  "Ouagadougou",
  "Kirkwall",
  "12 Baker Street",
  "48 Old Mill Lane",
  "7 Oak Avenue",
];

const luhn = (body: string): string => {
  const sum = [...body].reverse().reduce((total, digit, i) => {
    const value = i % 2 === 0 ? 2 * Number(digit) : Number(digit);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return body + (10 - sum % 10) % 10;
};
const iban = (country: string, body: string): string => {
  const number = [...`${body}${country}00`].map((one) => parseInt(one, 36)).join("");
  return `${country}${String(98n - BigInt(number) % 97n).padStart(2, "0")}${body}`;
};
const inFours = (text: string) => text.replace(/(.{4})(?=.)/g, "$1 ");

const MAKE: Record<PersonalKind, () => string> = {
  email: () =>
    `${pick(["ana.li", "j_smith", "sales+eu", "müller", "o.k99"])}@${
      pick(["example.org", "mail.example.co.uk", "firma.example.de"])
    }`,
  iban: () => {
    const number = pick([
      () => iban("DE", digits(18)),
      () => iban("GB", `WEST${digits(14)}`),
      () => iban("NL", `ABNA${digits(10)}`),
    ])();
    return random.integer(2) ? inFours(number) : number;
  },
  card: () => {
    const number = luhn(`4${digits(14)}`);
    return pick([number, inFours(number), inFours(number).replaceAll(" ", "-")]);
  },
  account: () => pick([digits(8), digits(10), `${digits(4)} ${digits(4)}`]),
  ip: () =>
    pick([
      `192.168.${random.integer(256)}.${random.integer(256)}`,
      `10.0.${random.integer(256)}.7`,
      "2001:db8::ff00:42:8329",
      "fe80::1ff:fe23:4567:890a",
    ]),
  phone: () =>
    pick([
      `+44 20 ${digits(4)} ${digits(4)}`,
      `+1-555-${digits(3)}-${digits(4)}`,
      `(030) ${digits(8)}`,
      `555-${digits(3)}-${digits(4)}`,
      `0171 ${digits(3)} ${digits(4)}`,
      `+49${digits(10)}`,
      `06${digits(8)}`,
    ]),
  name: () =>
    pick([
      () => `${pick(GIVEN)} ${pick(FAMILY)}`,
      () => `${pick(GIVEN)} ${pick(FAMILY)}`,
      () => pick(GIVEN),
    ])(),
  place: () => pick(PLACES),
};

const SENTENCES = `
Please write to {email} about the refund.
You can reach {name} at {email} or on {phone}.
My e-mail changed from {email} to {email}.
Transfer the amount to {iban} before Friday.
Our bank details are {iban}; please use the order as reference.
I paid with the card {card}, but the order is not there.
The card number is {card}.
Charge {card} again, please.
My account number is {account}.
Please credit account {account} with the difference.
It is on acct {account}, not on the other one.
The request came from {ip}.
Block {ip} in the firewall, and allow {ip}.
Call me on {phone}.
Our office, {phone}, is open from nine.
You can text {phone} at any time.
If it is urgent, ring {phone}.
My name is {name}.
{name} ordered two lamps last week.
I spoke with {name} about the delivery.
The parcel was signed for by {name} in {place}.
Dear {name}, thank you for your patience.
Is {name} the manager?
She moved to {place} last year.
Please deliver it to {place}.
The warehouse in {place} has none left.
{name} lives in {place}, and can be reached at {phone}.
`.trim().split("\n");

const TRAPS = `
The order number is 4929 1234 5678 9010 and it has not arrived.
Invoice 20260115-0042 is from 2026-01-15.
Order 123456789 shipped on 12.03.2026.
The temperature was 21.5 degrees at 10:30.
Update to version 4.12.0.3 of the app.
See section 1.2.3.4 of the manual.
The price went from 1,299.00 to 1,099.00.
Add 1234567 and 7654321.
The ISBN is 978-3-16-148410-0.
The scale runs from 1 to 100000.
Will you be there in May?
Mark the box and save the form.
The rose in the garden is red.
I am German and my German is good.
Please follow The Complete Guide to Returns.
Monday and Tuesday are holidays.
The Internet of Things is growing.
What is the capital of France?
Use the @ sign and a dot in every address.
Water boils at 100 degrees.
The ratio is 3:2:1.
Press Start, then Settings.
Our Customer Service is open.
The model 5550123456 is sold out.
Hope is a good thing.
A nice day in the park.
The tracking code 00340434161094021501 does not work.
Turkey is served with gravy.
Charlotte is a dessert with apples.
Reading is fun.
`.trim().split("\n");

function fill(sentence: string): LabelledText {
  let text = "";
  const spans: LabelledText["spans"] = [];
  for (const part of sentence.split(/(\{\w+\})/)) {
    const kind = /^\{(\w+)\}$/.exec(part)?.[1] as PersonalKind | undefined;
    const value = kind === undefined ? part : MAKE[kind]();
    if (kind !== undefined) {
      spans.push({ kind, start: text.length, end: text.length + value.length });
    }
    text += value;
  }
  return { text, spans };
}

/** The labelled texts. */
export const LABELLED: readonly LabelledText[] = Array.from(
  { length: 500 },
  (_, i) => fill(i < 380 ? SENTENCES[i % SENTENCES.length]! : TRAPS[i % TRAPS.length]!),
);

/** What a recogniser did with the labelled texts. */
export interface Measured {
  /** The labels that it found, with exactly their text. */
  found: number;
  /** All labels. */
  labels: number;
  /** All findings. */
  findings: number;
}

/**
 * Measures a recogniser on the labelled texts.
 *
 * @param find The recogniser.
 * @returns The counts of each kind. Recall is `found / labels`, precision `found / findings`.
 */
export function measure(
  find: (text: string) => readonly { kind: PersonalKind; start: number; end: number }[],
): Record<PersonalKind, Measured> {
  const counts = Object.fromEntries(
    PERSONAL_KINDS.map((kind) => [kind, { found: 0, labels: 0, findings: 0 }]),
  ) as Record<PersonalKind, Measured>;
  for (const { text, spans } of LABELLED) {
    const findings = find(text);
    for (const { kind } of findings) counts[kind].findings++;
    for (const { kind, start, end } of spans) {
      counts[kind].labels++;
      const same = (one: typeof spans[number]) =>
        one.kind === kind && one.start === start && one.end === end;
      if (findings.some(same)) counts[kind].found++;
    }
  }
  return counts;
}
