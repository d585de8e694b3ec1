import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { assertKnownOptions, type OptionNames } from "../lib/options.ts";

interface Some {
  readonly learningRate?: number;
  readonly epochs?: number;
  readonly maxLength?: number;
  readonly rank?: number;
}

const NAMES: OptionNames<Some> = { learningRate: true, epochs: true, maxLength: true, rank: true };

const messageOf = (options: unknown) =>
  assertThrows(() => assertKnownOptions("train", options as Some, NAMES), TypeError).message;

Deno.test("assertKnownOptions() accepts what the function knows, and no options at all", () => {
  assertKnownOptions("train", undefined, NAMES);
  assertKnownOptions("train", {}, NAMES);
  assertKnownOptions("train", { learningRate: 1, epochs: undefined, maxLength: 2, rank: 3 }, NAMES);
});

Deno.test("assertKnownOptions() names what was meant", () => {
  assertEquals(
    messageOf({ lr: 1e-3 }),
    'Cannot train with the option "lr": did you mean "learningRate"?',
  );
});

Deno.test("assertKnownOptions() knows the names of TRL, transformers and PEFT", () => {
  const meant: Record<string, string> = {
    learning_rate: "learningRate",
    num_train_epochs: "epochs",
    numEpochs: "epochs",
    max_seq_length: "maxLength",
    max_length: "maxLength",
    r: "rank",
    lora_rank: "rank",
  };
  for (const [name, option] of Object.entries(meant)) {
    assertEquals(messageOf({ [name]: 1 }).match(/did you mean "(.*)"\?$/)?.[1], option, name);
  }
});

Deno.test("assertKnownOptions() finds a misspelt name and invents none", () => {
  assertEquals(messageOf({ learningRat: 1 }).endsWith(': did you mean "learningRate"?'), true);
  assertEquals(messageOf({ colour: 1 }).endsWith('"maxLength", "rank"'), true);
});

Deno.test("assertKnownOptions() takes a foreign name only where the function has the option", () => {
  const names: OptionNames<{ every?: number }> = { every: true };
  const given = { lr: 1 } as { every?: number };
  assertEquals(
    assertThrows(() => assertKnownOptions("wait", given, names), TypeError).message,
    'Cannot wait with the option "lr": expected "every"',
  );
  const none: OptionNames<Record<never, never>> = {};
  assertEquals(
    assertThrows(() => assertKnownOptions("wait", given, none), TypeError).message,
    'Cannot wait with the option "lr": it takes none',
  );
});

Deno.test("assertKnownOptions() refuses what is not an object of options", () => {
  assertEquals(messageOf(null), "Cannot train with the options null: expected an object");
  assertEquals(messageOf(3), "Cannot train with the options 3: expected an object");
  assertEquals(messageOf([1]), "Cannot train with the options an array: expected an object");
  assertEquals(messageOf("fast"), 'Cannot train with the options "fast": expected an object');
});

Deno.test("assertKnownOptions() refuses exactly the names that are not known", () => {
  fc.assert(fc.property(fc.string(), (name) => {
    const options = Object.defineProperty({}, name, { value: 1, enumerable: true });
    if (Object.hasOwn(NAMES, name)) assertKnownOptions("train", options, NAMES);
    else assertEquals(messageOf(options).includes(`the option "${name}"`), true);
  }));
  const polluted = JSON.parse('{"__proto__": 1}');
  assertEquals(messageOf(polluted).includes('"__proto__"'), true);
  assertEquals(messageOf({ constructor: 1 }).includes('"constructor"'), true);
});

Deno.test("assertKnownOptions() lists many options from the most alike on, and not all", () => {
  const names: Record<string, true> = {};
  for (let i = 0; i < 31; i++) names[`option${i}`] = true;
  const options: Record<string, number> = { completely: 1 };
  assertEquals(
    assertThrows(() => assertKnownOptions("train", options, names), TypeError).message
      .match(/expected one of ("option\d+"(, )?){9} or 22 others$/) !== null,
    true,
  );
});

Deno.test("assertKnownOptions() tells which function of a model has the option", () => {
  const train: OptionNames<{ learningRate?: number; epochs?: number }> = {
    learningRate: true,
    epochs: true,
  };
  const load: OptionNames<{ lora?: boolean; dropout?: number }> = { lora: true, dropout: true };
  const meant: [action: string, names: object, option: string, hint: string][] = [
    ["train", train, "lora_alpha", 'the option "lora" of loadModel()'],
    ["train", train, "r", 'the option "lora" of loadModel()'],
    ["train", train, "load_in_4bit", 'the option "quantize" of loadModel()'],
    ["train", train, "device", 'the option "device" of loadModel()'],
    ["train", train, "max_new_tokens", 'the option "maxNewTokens" of answer()'],
    ["load a model", load, "learning_rate", 'the option "learningRate" of train()'],
    ["load a model", load, "lora_dropout", '"lora"'],
    ["load a model", load, "rank", '"lora"'],
  ];
  for (const [action, names, option, hint] of meant) {
    assertEquals(
      assertThrows(
        () => assertKnownOptions(action, { [option]: 1 }, names as Record<string, true>),
        TypeError,
      ).message,
      `Cannot ${action} with the option "${option}": did you mean ${hint}?`,
    );
  }
});
