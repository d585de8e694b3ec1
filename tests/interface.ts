// What the entry points export, as `deno doc` reads it.

import config from "../deno.json" with { type: "json" };
import { ROOT } from "./check.ts";

/** A function, constructor or method, and the names of its parameters; undefined where one is destructured. */
export interface Callable {
  /** Such as `sft`, `AdamW`, `Gpt2.create`, `Session#execute`. */
  readonly name: string;
  readonly parameters: readonly (string | undefined)[];
}

/** One exported symbol. */
export interface Exported {
  readonly name: string;
  /** `function`, `class`, `variable`, `interface` or `typeAlias`. */
  readonly kind: string;
  /** Whether it exists at run time: a class may be exported as a type alone. */
  readonly isValue: boolean;
  /** The file that declares it, from the repository's root. */
  readonly file: string;
  /** The first sentence of its documentation. */
  readonly summary: string;
  /** The code of its examples. */
  readonly examples: readonly string[];
  readonly callables: readonly Callable[];
}

/** Entry points by the name that people import: `tunebook`, `tunebook/tensor`, … */
export const ENTRY_POINTS: ReadonlyMap<string, string> = new Map(
  Object.entries(config.exports).map(([name, file]) => [name.replace(/^\./, "tunebook"), file]),
);

/** What an entry point exports, by name. */
export async function exportsOf(entry: string): Promise<Map<string, Exported>> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ENTRY_POINTS.get(entry)!],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const module = await import(new URL(`../${ENTRY_POINTS.get(entry)!}`, import.meta.url).href);
  const found = new Map<string, Exported>();
  for (const { symbols } of Object.values<any>(nodes)) {
    for (const { name, declarations } of symbols) {
      const comments = declarations.map(({ jsDoc }: any) => jsDoc ?? {});
      const text = comments.map(({ doc }: any) => doc ?? "").join("\n").trim();
      const [declaration] = declarations;
      found.set(name, {
        name,
        kind: declaration.kind,
        isValue: name in module,
        file: declaration.location.filename.slice(`file://${ROOT}/`.length),
        summary: text.split(/(?<=\.)\s|\n\n/)[0].replace(/\s+/g, " "),
        examples: comments.flatMap(({ tags = [] }: any) =>
          tags.filter(({ kind }: any) => kind === "example")
            .flatMap(({ doc }: any) =>
              [...doc.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code)
            )
        ),
        callables: callablesOf(name, declaration),
      });
    }
  }
  return new Map([...found].sort(([a], [b]) => a < b ? -1 : 1));
}

function callablesOf(name: string, { kind, def }: any): Callable[] {
  const read = (name: string, { params }: any): Callable => ({
    name,
    parameters: params.map((param: any) => (param.kind === "assign" ? param.left : param).name),
  });
  if (kind === "function") return [read(name, def)];
  if (kind !== "class") return [];
  const open = ({ accessibility }: any) => accessibility !== "private";
  return [
    ...(def.constructors ?? []).filter(open).map((one: any) => read(name, one)),
    ...(def.methods ?? []).filter(open).filter(({ kind }: any) => kind === "method").map((
      { name: method, isStatic, functionDef }: any,
    ) => read(`${name}${isStatic ? "." : "#"}${method}`, functionDef)),
  ];
}
