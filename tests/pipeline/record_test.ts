import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describeFormat, parseFormat, toChatTemplate } from "../../lib/pipeline/format.ts";
import { readRecord, type TaughtRecord, writeRecord } from "../../lib/pipeline/record.ts";
import { currentProgram, describeProgram } from "../../lib/pipeline/program.ts";
import { alpaca, ChatTemplate, gpt2Tokenizer, type PromptFormat } from "../../lib/text/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const tokenizer = gpt2Tokenizer();

Deno.test("a format that is written down is the format", () => {
  assertEquals(parseFormat(describeFormat(alpaca), tokenizer), alpaca);
  const piece = fc.string({ unit: "binary", maxLength: 12 }).filter((text) => !/X/.test(text));
  const entry = fc.record({ instruction: piece, input: piece });
  fc.assert(fc.property(piece, piece, piece, piece, entry, (begin, between, end, marker, asked) => {
    const format: PromptFormat = {
      name: "mine",
      instruction: ({ instruction, input }) =>
        input ? `${begin}${input}${between}${instruction}${end}` : `${begin}${instruction}`,
      responseMarker: marker,
    };
    const written = JSON.parse(JSON.stringify(describeFormat(format)));
    const again = parseFormat(written, tokenizer);
    if (again instanceof ChatTemplate) throw new TypeError("it became a template");
    assertEquals(again.instruction(asked), format.instruction(asked));
    assertEquals([again.name, again.responseMarker], ["mine", marker]);
  }));
});

Deno.test("a format that changes what it writes cannot be written down", () => {
  const loud: PromptFormat = {
    name: "loud",
    instruction: ({ instruction }) => instruction.trim(),
    responseMarker: "\n",
  };
  assertThrows(() => describeFormat(loud), TypeError, 'Cannot write down the format "loud"');
});

Deno.test("a prompt format as a chat template writes the prompt", () => {
  const template = new ChatTemplate(toChatTemplate(alpaca, tokenizer));
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  fc.assert(fc.property(text, text, (instruction, answer) => {
    const prompt = alpaca.instruction({ instruction }) + alpaca.responseMarker;
    const user = { role: "user", content: instruction };
    assertEquals(template.render([user], { prompt: true }), prompt);
    const both = template.render([user, { role: "assistant", content: answer }]);
    assertEquals(both, `${prompt}${answer}<|endoftext|>`);
  }));
  assertThrows(() => template.render([{ role: "system", content: "Be kind." }]), TypeError);
});

const RECORD: TaughtRecord = {
  version: 1,
  format: describeFormat(alpaca),
  base: "nano",
  trainings: [{
    mask: "prompt",
    maxLength: 256,
    seed: 123,
    examples: 8,
    data: "0".repeat(64),
    steps: 1,
    totalSteps: 1,
    device: "CPU",
    settings: { learningRate: 1e-3 },
  }],
  program: { kind: "notebook", name: "../book.ipynb" },
};

Deno.test("a record is read as it was written, and a damaged one is refused by its field", async () => {
  using temporary = new TemporaryDirectory();
  assertEquals(await readRecord(temporary.path), undefined);
  assertEquals(await readRecord(`${temporary.path}/nowhere`), undefined);
  await writeRecord(temporary.path, RECORD);
  assertEquals(await readRecord(temporary.path), RECORD);
  const wrong: [string, string][] = [
    ["{", "as JSON"],
    ["null", '"the whole"'],
    [JSON.stringify({ ...RECORD, version: 2 }), '"version"'],
    [JSON.stringify({ ...RECORD, base: 3 }), '"base"'],
    [JSON.stringify({ ...RECORD, format: { kind: "chat", name: "x" } }), '"format.template"'],
    [JSON.stringify({ ...RECORD, trainings: [{}] }), '"trainings.0.mask"'],
  ];
  for (const [text, message] of wrong) {
    temporary.file("taught.json", text);
    await assertRejects(() => readRecord(temporary.path), SyntaxError, message);
  }
  await fc.assert(fc.asyncProperty(fc.json(), async (text) => {
    temporary.file("taught.json", text);
    await assertRejects(() => readRecord(temporary.path), SyntaxError, "Cannot read");
  }));
});

Deno.test("a program is named by its path from the folder", () => {
  const env = (values: Record<string, string>) => ({ get: (name: string) => values[name] });
  const notebook = currentProgram(env({ TUNEBOOK_NOTEBOOK: "/home/ann/notebooks/a.ipynb" }));
  assertEquals(notebook, { kind: "notebook", name: "/home/ann/notebooks/a.ipynb" });
  const described = describeProgram(notebook!, "/home/ann/out/demo");
  assertEquals(described, { kind: "notebook", name: "../../notebooks/a.ipynb" });
  const jupyter = currentProgram(env({ JPY_SESSION_NAME: "a.ipynb" }));
  assertEquals(jupyter, { kind: "notebook", name: `${Deno.cwd()}/a.ipynb` });
  const kernel = "file:///home/ann/$deno$jupyter.mts";
  assertEquals(currentProgram(env({ JPY_SESSION_NAME: "4ad0-77" }), kernel), undefined);
  const script = currentProgram(env({}), "file:///home/ann/train.ts");
  assertEquals(script, { kind: "script", name: "/home/ann/train.ts" });
  const command = { kind: "command", name: "tunebook train" } as const;
  assertEquals(describeProgram(command, "/work"), command);
});
