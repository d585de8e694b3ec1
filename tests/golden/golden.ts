/**
 * Reads golden files: cases whose numbers PyTorch computed. README.md here tells the layout.
 *
 * It has a safetensors reader of its own, of a few lines, so that a fault in lib/weights cannot hide
 * a fault elsewhere.
 */

/** A tensor of a golden file. */
export interface GoldenTensor {
  /** Its dimensions; empty for a single number. */
  readonly shape: readonly number[];
  /** What its values are. */
  readonly dtype: "F32" | "I32";
  /** Its values in row-major order. */
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/** One case of an op: inputs, options and the right answers. */
export interface GoldenCase {
  /** The op's name, as `layer_norm`. */
  readonly op: string;
  /** `op/case`, as `layer_norm/7x13`. */
  readonly name: string;
  /** The op's options, named as in README.md. */
  readonly attributes: Readonly<Record<string, any>>;
  /** Inputs and answers by name; `fooGrad` is the gradient of `foo`. */
  readonly tensors: Readonly<Record<string, GoldenTensor>>;
}

/** A golden file. */
export interface Golden {
  /** Versions of the programs that made it. */
  readonly versions: Readonly<Record<string, string>>;
  /** The names of the ops it has cases of, in the file's order. */
  readonly ops: readonly string[];
  /** An op's cases; without a name, every case. Throws where there are none. */
  cases(op?: string): GoldenCase[];
}

/** Reads every tensor of a safetensors file of F32 and I32 tensors. */
export function readGoldenTensors(path: string | URL): Record<string, GoldenTensor> {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const headerLength = Number(view.getBigUint64(0, true));
  const start = 8 + headerLength;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  delete header.__metadata__;
  const tensors: Record<string, GoldenTensor> = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries<any>(header)) {
    if (dtype !== "F32" && dtype !== "I32") throw new TypeError(`"${name}" is ${dtype}`);
    const buffer = bytes.slice(start + from, start + to).buffer;
    const data = dtype === "F32" ? new Float32Array(buffer) : new Int32Array(buffer);
    tensors[name] = { shape, dtype, data };
  }
  return tensors;
}

/**
 * Reads `NAME.json` and `NAME.safetensors`.
 *
 * @param name The golden file's name without ending, as `"ops"`.
 * @param folder Where it lies; this module's folder if not given.
 */
export function loadGolden(name: string, folder: string | URL = import.meta.url): Golden {
  const base = folder instanceof URL
    ? folder
    : folder.startsWith("file:")
    ? new URL(folder)
    : new URL(`file://${Deno.realPathSync(folder)}/`);
  const index = JSON.parse(Deno.readTextFileSync(new URL(`${name}.json`, base)));
  const all = readGoldenTensors(new URL(`${name}.safetensors`, base));
  const cases: GoldenCase[] = index.cases.map((row: any) => ({
    op: row.op,
    name: row.name,
    attributes: row.attributes,
    tensors: Object.fromEntries(
      Object.keys(row.tensors).map((key) => [key, all[`${row.name}/${key}`]]),
    ),
  }));
  return {
    versions: index.versions,
    ops: [...new Set(cases.map((one) => one.op))],
    cases(op) {
      const found = op === undefined ? cases : cases.filter((one) => one.op === op);
      if (found.length === 0) throw new RangeError(`Golden file "${name}" has no op "${op}"`);
      return found;
    },
  };
}
