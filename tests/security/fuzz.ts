/**
 * `deno task fuzz`: random input for all that reads what strangers write, for a given time. A finding is
 * an input on which a reader throws something other than a one-line message, hangs, or lets through what it must not.
 *
 * ```
 * deno task fuzz                        # two minutes
 * deno task fuzz --seconds 600
 * deno task fuzz --seed 7 gguf report   # two readers, with the seed that a run has printed
 * deno task fuzz --seed 7 --inputs 5000 # so many inputs for each reader: always the same, however fast the machine
 * ```
 */

import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import fc from "fast-check";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import MarkdownIt from "markdown-it";
import { printable } from "../../lib/cli/printable.ts";
import { csvRows } from "../../lib/dataset/files/csv.ts";
import { parquetRows } from "../../lib/dataset/files/parquet.ts";
import { listArchive } from "../../lib/grade/collect/archive.ts";
import { parseWorksheet } from "../../lib/grade/collect/worksheet.ts";
import { withProposal } from "../../lib/grade/structure.ts";
import { formatNotebook, parseNotebook } from "../../lib/runtime/notebook.ts";
import { MessageCodec } from "../../lib/runtime/messages.ts";
import { PipeReader } from "../../lib/runtime/pipe_reader.ts";
import { renderMarkdownReport } from "../../lib/runtime/report/mod.ts";
import { renderMarkdown } from "../../lib/runtime/report/markdown.ts";
import { readReport } from "../../lib/runtime/report/embedded.ts";
import { sanitizeHtml } from "../../lib/runtime/report/sanitize.ts";
import { isOutputType, readOutput, readPreludeMessage } from "../../lib/runtime/session/door.ts";
import { encodeGreeting, encodeMessage, encodeReady, ZmtpDecoder } from "../../lib/runtime/zmtp.ts";
import { compileTemplate } from "../../lib/text/jinja/mod.ts";
import { readSentencePiece } from "../../lib/text/sentencepiece.ts";
import { openGguf, openSafetensors, writeGguf, writeStateDict } from "../../lib/weights/mod.ts";
import { pickleStateDict } from "../../lib/weights/pytorch/pickle.ts";
import { openStateDict } from "../../lib/weights/pytorch/read.ts";
import { tensorsOf, unpickle } from "../../lib/weights/pytorch/unpickle.ts";
import { widenQuantized } from "../../lib/weights/quantized/mod.ts";
import { parseShardIndex } from "../../lib/weights/safetensors/index_file.ts";
import { rawZip } from "../grade/raw_zip.ts";

/** A reader under fuzz. */
interface Target {
  /** A property that holds for every input. */
  property: fc.IRawProperty<unknown>;
  /** The part of `--inputs` that it gets, where each is a file. 1 by default. */
  part?: number;
}

const options = parseArgs(Deno.args, { string: ["seed", "seconds", "inputs"] });
const inputs = options.inputs === undefined ? undefined : Number(options.inputs);
/**
 * How long one input may take, in milliseconds: all of these are small. Where the inputs are fixed, a machine that is
 * busy with something else must not matter.
 */
const PATIENCE = inputs === undefined ? 5000 : 60_000;
/** What engines throw where code did not expect its input. */
const ACCIDENT =
  /call stack|Invalid (array|string|typed array) length|is not (a function|iterable)|of (undefined|null)|is not an object/;

/** Runs a reader on an input: it gives a value, or an error that is a sentence about the input. */
async function reads<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  const began = performance.now();
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Error) || ACCIDENT.test(error.message)) throw error;
    if (error.message === "" || error.message.includes("\n")) {
      throw new Error(`not a sentence: ${JSON.stringify(error.message)}`, { cause: error });
    }
    return undefined;
  } finally {
    const took = performance.now() - began;
    // deno-lint-ignore no-unsafe-finally
    if (took > PATIENCE) throw new Error(`one input took ${Math.round(took)} ms`);
  }
}

/** An edit of bytes: flip, cut, repeat, or put something else there. */
const edit = fc.record({
  kind: fc.constantFrom("flip", "cut", "repeat", "put"),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 64 }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
});

/** Bytes that are nearly those given. */
function nearly(whole: Uint8Array): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) => {
    const bytes = Array.from(whole);
    for (const { kind, at, length, bytes: other } of edits) {
      const place = Math.floor(at * bytes.length);
      const part = bytes.slice(place, place + length);
      if (kind === "flip" && place < bytes.length) bytes[place] ^= 1 << (length % 8);
      else if (kind === "cut") bytes.splice(place, length);
      else if (kind === "repeat") bytes.splice(place, 0, ...part, ...part);
      else if (kind === "put") bytes.splice(place, other.length, ...other);
    }
    return Uint8Array.from(bytes);
  });
}
const nearlyText = (whole: string) =>
  nearly(new TextEncoder().encode(whole)).map((bytes) => new TextDecoder().decode(bytes));

const golden = (name: string) =>
  Deno.readFileSync(fromFileUrl(new URL(`../golden/${name}`, import.meta.url)));

const NOTEBOOK = JSON.stringify({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "deno", display_name: "Deno" } },
  cells: [
    { cell_type: "markdown", id: "a", metadata: { tags: ["x"] }, source: ["# Title\n", "*x* $y$"] },
    {
      cell_type: "code",
      id: "b",
      metadata: {},
      source: "1",
      execution_count: 1,
      outputs: [
        { output_type: "stream", name: "stdout", text: ["a\n"] },
        { output_type: "error", ename: "E", evalue: "v", traceback: ["t"] },
        { output_type: "display_data", data: { "text/html": "<b>x</b>" }, metadata: {} },
      ],
    },
  ],
});

const PROPOSAL_ANSWER = {
  ...{ schema_version: 3, grade: true, solution: true, locked: false, task: false },
  ...{ grade_id: "data", points: 1 },
};

const HTML = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...[
        "<svg>",
        "</svg>",
        "<math>",
        "<style>",
        "</style>",
        "<script>",
        "</script>",
        "<img src=x ",
      ],
      ...[
        "onerror=alert(1)",
        "onerror=",
        ">",
        "<a href='javascript:alert(1)'>",
        "<![CDATA[",
        "]]>",
      ],
      ...[
        "<!--",
        "-->",
        "<template>",
        "<noscript>",
        "<iframe srcdoc='",
        "'",
        '"',
        "`",
        "&lt;",
        "\0",
      ],
      ...[
        "<foreignObject>",
        "<p title='",
        "<use href='data:x'>",
        "<base href=//x>",
        "<form action=",
      ],
    ),
    fc.string({ maxLength: 8 }),
  ),
  { maxLength: 24 },
).map((parts) => parts.join(""));
/** Elements and attributes that act, in HTML whose attributes' values have been emptied. */
const LIVE = /<\s*(script|iframe|object|embed|base|form|meta|link)\b|<[^>]*\son\w+\s*=/i;
const LIVE_ADDRESS = /\b(href|src|action|xlink:href)="\s*(javascript|vbscript):/i;
/** Whether sanitised HTML, which quotes all values, does anything. */
const acts = (html: string) =>
  LIVE.test(html.replace(/="[^"]*"/g, '=""')) || LIVE_ADDRESS.test(html);

/** Cells of Markdown that are harmless or not, and may be neither with those before them. */
const CELLS = fc.array(
  fc.array(
    fc.constantFrom(
      ...[
        "- a",
        "1. b",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "```",
        "~~~",
        "> ",
        "| a |",
        "|-|",
        "---",
      ],
      ...["<script>x</script>", "<img src=x onerror=x>", "<!--", "-->", "<div>", "</div>", "<b>"],
      ...["[a]: javascript:x", "[a]", "[b](javascript:x)", "`", "text", "\\", "$$", "&lt;script>"],
    ),
    { minLength: 1, maxLength: 5 },
  ).map((parts) => parts.join("")),
  { minLength: 2, maxLength: 4 },
);
const readersMarkdown = new MarkdownIt({ html: true, linkify: true });

const TEMPLATE = fc.array(
  fc.constantFrom(
    ...["{% for m in messages %}", "{% endfor %}", "{{ m.content }}", "{% if m.role == 'user' %}"],
    ...[
      "{% else %}",
      "{% endif %}",
      "{% set x = x ~ x %}",
      "{% set x = [x, x] %}",
      "{{ x|tojson }}",
    ],
    ...[
      "{% macro f(a) %}",
      "{% endmacro %}",
      "{{ f(x) }}",
      "{{ 'x' * 99999 }}",
      "{{ x[1:][::-1] }}",
    ],
    ...[
      "{{ messages|map(attribute='role')|join(', ') }}",
      "{{ x.split('') }}",
      "{#",
      "#}",
      "{{",
      "}}",
    ],
    ...[
      "{% raw %}",
      "{% endraw %}",
      "{{ x|replace('a', 'bb') }}",
      "{{ loop.index }}",
      "text",
      "\n",
    ],
  ),
  { maxLength: 14 },
).map((parts) => parts.join(""));

const folder = await Deno.makeTempDir({ prefix: "tunebook-fuzz-" });

/** Opens bytes as a file, and reads the first tensors that it says it has. */
const file = (
  whole: Uint8Array,
  open: (path: string) => Promise<
    Disposable & { tensors: ReadonlyMap<string, unknown>; read(name: string): Promise<unknown> }
  >,
) =>
  fc.asyncProperty(nearly(whole), async (bytes) => {
    const path = `${folder}/file`;
    await Deno.writeFile(path, bytes);
    await reads(async () => {
      using opened = await open(path);
      for (const name of [...opened.tensors.keys()].slice(0, 3)) await opened.read(name);
    });
  });

const header = (bytes: Uint8Array) => bytes.subarray(0, 20_000);

/** What somebody writes, as bytes. */
async function written(write: (path: string) => Promise<unknown>): Promise<Uint8Array> {
  const path = `${folder}/written`;
  await write(path);
  return await Deno.readFile(path);
}

const PICKLED = ["a", "b"].map((name, i) => ({
  ...{ name, shape: [2, 3], dtype: "F32" as const, storage: `${i}`, storageSize: 6 },
  ...{ offset: 0, strides: [3, 1] },
}));

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** As PyTorch wrote before version 1.6. */
const OLD_STATE_DICT = Uint8Array.from([
  ...latin1("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."),
  ...pickleStateDict(PICKLED),
  ...latin1("\x80\x02](X\x01\0\0\x000X\x01\0\0\x001e."),
  ...[0, 1].flatMap(() => [6, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(24)]),
]);

/** A matrix that bitsandbytes packed, and one of FP8 with its scale. */
function quantized(): Uint8Array<ArrayBuffer> {
  const state = JSON.stringify({
    ...{ quant_type: "nf4", blocksize: 64, dtype: "bfloat16", shape: [2, 64] },
    ...{ nested_blocksize: 256, nested_dtype: "float32", nested_offset: 0.1 },
  });
  const parts: [name: string, dtype: string, shape: number[], bytes: number][] = [
    ["q.weight", "U8", [64, 1], 64],
    ["q.weight.absmax", "U8", [2], 2],
    ["q.weight.quant_map", "F32", [16], 64],
    ["q.weight.nested_absmax", "F32", [1], 4],
    ["q.weight.nested_quant_map", "F32", [256], 1024],
    ["f.weight", "F8_E4M3", [4, 4], 16],
    ["f.weight_scale_inv", "F32", [2, 2], 16],
    ["q.weight.quant_state.bitsandbytes__nf4", "U8", [state.length], state.length],
  ];
  let at = 0;
  const names = JSON.stringify(Object.fromEntries(parts.map(([name, dtype, shape, bytes]) => [
    name,
    { dtype, shape, data_offsets: [at, at += bytes] },
  ])));
  const bytes = new Uint8Array(8 + names.length + at);
  new DataView(bytes.buffer).setUint32(0, names.length, true);
  bytes.set(latin1(names), 8);
  bytes.set(latin1(state), bytes.length - state.length);
  return bytes;
}

/** SentencePiece's file of a few pieces. */
function sentencePieceFile(): Uint8Array {
  const writer = new BinaryWriter();
  const pieces = ["<unk>", "<s>", "</s>", "\u2581", "a", "\u2581a", "<0x41>"];
  for (const [id, text] of pieces.entries()) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(text);
    writer.tag(2, WireType.Bit32).float(-id);
    writer.tag(3, WireType.Varint).int32(id === 0 ? 2 : id < 3 ? 3 : id === 6 ? 6 : 1);
    writer.join();
  }
  writer.tag(2, WireType.LengthDelimited).fork();
  writer.tag(3, WireType.Varint).int32(1);
  writer.tag(35, WireType.Varint).bool(true);
  writer.join();
  return writer.finish();
}

/** One of two parts of a GGUF file. */
const ggufPart = (number: number) =>
  written((path) =>
    writeGguf(path, [{ name: `t${number}`, shape: [2, 2], data: new Float32Array(4) }], {
      metadata: {
        "split.no": { uint16: number },
        "split.count": { uint16: 2 },
        "split.tensors.count": { int32: 2 },
      },
    })
  );
const SECOND_PART = await ggufPart(1);

const TARGETS: Record<string, Target> = {
  notebook: {
    property: fc.asyncProperty(nearlyText(NOTEBOOK), async (text) => {
      const notebook = await reads(() => parseNotebook(text));
      if (notebook === undefined) return;
      const written = formatNotebook(notebook);
      if (formatNotebook(parseNotebook(written)) !== written) throw new Error("not read back");
    }),
  },
  messages: {
    property: fc.asyncProperty(
      fc.constantFrom("stream", "display_data", "update_display_data", "execute_result", "error"),
      fc.oneof(
        fc.jsonValue(),
        fc.record({ name: fc.jsonValue(), text: fc.jsonValue() }),
        fc.record({
          data: fc.dictionary(fc.constantFrom("text/html", "application/json"), fc.jsonValue()),
        }),
        fc.record({ ename: fc.string(), evalue: fc.string(), traceback: fc.jsonValue() }),
      ),
      async (type, content) => {
        if (!isOutputType(type)) return;
        const read = await reads(() => readOutput(type, content));
        readPreludeMessage(content);
        if (read === undefined) return;
        const text = JSON.stringify(read.message.content, null, 1);
        if (read.size < text.length) throw new Error("it takes more than was counted");
      },
    ),
  },
  zmtp: {
    property: fc.asyncProperty(
      nearly(
        new Uint8Array([
          ...encodeGreeting(),
          ...encodeReady("PUB"),
          ...encodeMessage(new MessageCodec("k").encode(new MessageCodec("k").create("x", {}))),
        ]),
      ),
      fc.integer({ min: 1, max: 40 }),
      async (bytes, step) => {
        await reads(() => {
          const decoder = new ZmtpDecoder(4096);
          const codec = new MessageCodec("k");
          for (let at = 0; at < bytes.length; at += step) {
            for (const unit of decoder.push(bytes.subarray(at, at + step))) {
              if (unit.kind === "message") codec.decode(unit.frames);
            }
          }
        });
      },
    ),
  },
  pipe: {
    property: fc.property(
      fc.array(
        fc.oneof(fc.constantFrom("\x1e", "\n", '{"type":"ready"}', "{", "null"), fc.string()),
      ),
      (pieces) => {
        let text = "";
        const reader = new PipeReader(
          (message) => void readPreludeMessage(message),
          (piece) => text += piece,
        );
        for (const piece of pieces) reader.push(piece);
        if (text.length > pieces.join("").length) throw new Error("text from nowhere");
      },
    ),
  },
  report: {
    property: fc.asyncProperty(
      nearlyText(
        `<html><script type="application/json" id="nb-notebook">H4sIAAAAAAAAA6tWyk</script></html>`,
      ),
      async (html) => void await reads(() => readReport(html)),
    ),
  },
  html: {
    property: fc.property(HTML, (html) => {
      const safe = sanitizeHtml(html, { prefix: "x" }).html;
      if (acts(safe)) throw new Error(`lets through ${JSON.stringify(safe)}`);
    }),
  },
  markdown: {
    property: fc.asyncProperty(HTML, async (text) => {
      const rendered = await reads(() => renderMarkdown(text, { prefix: "x" }));
      if (acts(rendered?.html ?? "")) {
        throw new Error(`lets through ${JSON.stringify(rendered)}`);
      }
    }),
  },
  pages: {
    property: fc.property(CELLS, (cells) => {
      const { markdown } = renderMarkdownReport({
        nbformat: 4,
        nbformat_minor: 5,
        metadata: {},
        cells: cells.map((source, i) => ({
          cell_type: "markdown",
          id: `${i}`,
          metadata: {},
          source,
        })),
      });
      const html = readersMarkdown.render(markdown);
      // The report itself has no drawings, and links that were never meant as addresses.
      if (acts(html)) throw new Error(`lets through ${JSON.stringify(markdown)}`);
    }),
  },
  template: {
    property: fc.asyncProperty(TEMPLATE, async (source) => {
      const messages = [{ role: "user", content: "hello" }, { role: "assistant", content: "a\nb" }];
      await reads(() => compileTemplate(source).render({ messages, x: "abc" }));
    }),
  },
  safetensors: { property: file(header(golden("gpt2_tiny.safetensors")), openSafetensors) },
  gguf: { property: file(golden("gguf_blocks.gguf"), openGguf) },
  split: {
    part: 0.05,
    property: fc.asyncProperty(nearly(await ggufPart(0)), async (bytes) => {
      await Deno.writeFile(`${folder}/m-00001-of-00002.gguf`, bytes);
      await Deno.writeFile(`${folder}/m-00002-of-00002.gguf`, SECOND_PART);
      await reads(async () => {
        using opened = await openGguf(`${folder}/m-00002-of-00002.gguf`);
        for (const name of opened.tensors.keys()) await opened.read(name);
      });
    }),
  },
  pickle: {
    property: fc.asyncProperty(
      nearly(pickleStateDict(PICKLED)),
      async (bytes) => void await reads(() => tensorsOf(unpickle(bytes, "x").value, "x")),
    ),
  },
  statedict: {
    part: 0.05,
    property: file(
      await written((path) =>
        writeStateDict(path, [{ name: "a", shape: [2, 3], data: new Float32Array(6) }])
      ),
      openStateDict,
    ),
  },
  oldstatedict: { part: 0.05, property: file(OLD_STATE_DICT, openStateDict) },
  quantized: {
    part: 0.05,
    property: file(
      quantized(),
      async (path) => {
        const opened = await openSafetensors(path);
        try {
          return await widenQuantized(opened, {});
        } catch (error) {
          opened.close();
          throw error;
        }
      },
    ),
  },
  sentencepiece: {
    property: fc.asyncProperty(nearly(sentencePieceFile()), async (bytes) => {
      const options = { path: "tokenizer.model", name: "x", isOrdered: false };
      await reads(() => readSentencePiece(bytes, options));
    }),
  },
  csv: {
    part: 0.2,
    property: fc.asyncProperty(
      nearlyText('instruction,input,output\n"a, b","c ""d""\ne",f\ng,,h\n'),
      async (text) => {
        const rows = await reads(() =>
          Array.fromAsync(csvRows(ReadableStream.from([text]), "x.csv"))
        );
        if (JSON.stringify(rows ?? []).length > 20 * text.length + 1000) throw new Error("grows");
      },
    ),
  },
  parquet: {
    part: 0.05,
    property: fc.asyncProperty(
      fc.constantFrom("plain", "snappy", "gzip").chain((kind) =>
        nearly(golden(`data_files/${kind}.parquet`))
      ),
      async ({ buffer }) => {
        await reads(() => Array.fromAsync(parquetRows(buffer, "x.parquet")));
      },
    ),
  },
  index: {
    property: fc.asyncProperty(
      nearly(new TextEncoder().encode(
        '{"metadata":{"total_size":8},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}',
      )),
      async (bytes) => {
        const index = await reads(() => parseShardIndex(bytes, "index.json"));
        if (index?.shards.some((name) => /[/\\]/.test(name))) throw new Error("leads elsewhere");
      },
    ),
  },
  zip: {
    property: fc.asyncProperty(
      nearly(rawZip([
        { name: "week1/week1.ipynb", data: NOTEBOOK },
        { name: "é.md", data: "# x\n".repeat(500) },
        { name: "link", data: "/etc/passwd", mode: 0o120777 },
      ])),
      async (bytes) => {
        const files = await reads(() => listArchive(bytes, "x.zip", 100));
        for (const { path, fault, read } of files ?? []) {
          if (fault === undefined && path.some((part) => part === ".." || /[/\\]/.test(part))) {
            throw new Error("leads elsewhere");
          }
          const content = await reads(() => read(10_000));
          if (content !== undefined && content.length > 10_000) {
            throw new Error("exceeds the limit");
          }
        }
      },
    ),
  },
  proposal: {
    property: fc.asyncProperty(
      nearlyText("# Plan\n\n## 1. Data\n\n```json\n{}\n```\n\n## Method\n\n7 × 4 = 28\n"),
      async (text) => {
        const released = parseNotebook(NOTEBOOK);
        released.cells[0]!.source = "## Data";
        released.cells[0]!.metadata.nbgrader = PROPOSAL_ANSWER;
        const notebook = await reads(() => withProposal(released, text));
        await reads(() => notebook && formatNotebook(notebook));
      },
    ),
  },
  worksheet: {
    property: fc.asyncProperty(
      nearlyText(
        'Identifier,"Email address","Last modified (submission)"\n' +
          'Participant 1,a@b.c,"Monday, 21 September 2026, 10:55 PM"\n',
      ),
      async (text) => {
        await reads(() => parseWorksheet(text, [{ id: "ada", email: "a@b.c" }], "Europe/Berlin"));
      },
    ),
  },
  terminal: {
    property: fc.property(fc.string({ unit: "binary" }), (text) => {
      // deno-lint-ignore no-control-regex
      if (/[\x00-\x08\x0b-\x1f\x7f-\x9f]|\p{Bidi_Control}/u.test(printable(text))) {
        throw new Error("lets a control character through");
      }
    }),
  },
};

if (import.meta.main) {
  const names = options._.length > 0 ? options._.map(String) : Object.keys(TARGETS);
  const seconds = Number(options.seconds ?? 120);
  const seed = options.seed === undefined
    ? crypto.getRandomValues(new Int32Array(1))[0]
    : Number(options.seed);
  const extent = inputs === undefined ? `${seconds} s` : `${inputs} inputs each`;
  console.log(`seed ${seed}, ${extent} for ${names.length} readers`);
  let findings = 0;
  try {
    for (const name of names) {
      const details = await fc.check(TARGETS[name].property as fc.IAsyncProperty<unknown>, {
        seed,
        numRuns: inputs === undefined ? 1e9 : Math.ceil(inputs * (TARGETS[name].part ?? 1)),
        ...inputs === undefined && {
          interruptAfterTimeLimit: seconds * 1000 / names.length,
          markInterruptAsFailure: false,
        },
      });
      console.log(`${name}: ${details.numRuns} inputs${details.failed ? ", FAILED" : ""}`);
      if (!details.failed) continue;
      findings++;
      console.log(fc.defaultReportMessage(details));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (findings > 0) Deno.exit(1);
}
