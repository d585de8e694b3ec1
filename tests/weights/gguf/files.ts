// GGUF files made byte by byte, so that tests can make broken ones.

const encoder = new TextEncoder();

export const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
export const u64 = (value: bigint | number) =>
  new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
export const text = (value: string) => {
  const bytes = encoder.encode(value);
  return join(u64(bytes.length), bytes);
};

export function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A tensor of the table: shape with the fastest axis first, as in the file. */
export interface RawTensor {
  name: string;
  shape: (number | bigint)[];
  type: number;
  offset: number | bigint;
}

/** What a file is made of; counts are the true ones where none are given. */
export interface RawFile {
  magic?: string;
  version?: number;
  tensorCount?: bigint | number;
  pairCount?: bigint | number;
  /** Key, value type, value. */
  pairs?: [string, number, Uint8Array][];
  tensors?: RawTensor[];
  dataBytes?: number;
  alignment?: number;
}

/** The bytes of a GGUF file. */
export function rawGguf(file: RawFile): Uint8Array<ArrayBuffer> {
  const { pairs = [], tensors = [], dataBytes = 0, alignment = 32 } = file;
  const header = join(
    encoder.encode(file.magic ?? "GGUF"),
    u32(file.version ?? 3),
    u64(file.tensorCount ?? tensors.length),
    u64(file.pairCount ?? pairs.length),
    ...pairs.map(([key, type, value]) => join(text(key), u32(type), value)),
    ...tensors.map(({ name, shape, type, offset }) =>
      join(text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset))
    ),
  );
  const padding = dataBytes > 0 ? (alignment - header.length % alignment) % alignment : 0;
  return join(header, new Uint8Array(padding + dataBytes));
}
