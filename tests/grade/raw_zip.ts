// Zips that no honest tool makes: headers say what a test wants them to, whatever the data is.

import { Buffer } from "node:buffer";
import { crc32, deflateRawSync } from "node:zlib";

const concat = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** An entry; what is left out is honest. */
export interface RawEntry {
  name: string;
  data?: string | Uint8Array;
  /** What the headers say of the size. */
  size?: number;
  crc?: number;
  /** The Unix mode. */
  mode?: number;
  /** General purpose flags; bit 0 says that it is encrypted. */
  flags?: number;
  /** The place of its local header; 0 makes entries overlap. */
  offset?: number;
  /** The compressed bytes, where they are not the deflated data. */
  packed?: Uint8Array;
  /** The length of the compressed bytes in the headers. */
  packedSize?: number;
}

/** Makes a zip. */
export function rawZip(
  entries: readonly RawEntry[],
  options: { count?: number } = {},
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const { name, data = "", mode = 0o100644, flags = 0 } = entry;
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const packed = entry.packed ?? deflateRawSync(bytes);
    const title = new TextEncoder().encode(name);
    const common = words([
      [2, 0x0800 | flags],
      [2, 8],
      [4, 0x5a210000],
      [4, entry.crc ?? crc32(bytes)],
      [4, entry.packedSize ?? packed.length],
      [4, entry.size ?? bytes.length],
      [2, title.length],
      [2, 0],
    ]);
    const local = concat([words([[4, 0x04034b50], [2, 20]]), common, title, packed]);
    if (entry.offset === undefined) parts.push(local);
    directory.push(
      words([[4, 0x02014b50], [2, 0x0314], [2, 20]]),
      common,
      words([[2, 0], [2, 0], [2, 0], [4, mode * 0x10000], [4, entry.offset ?? at]]),
      title,
    );
    if (entry.offset === undefined) at += local.length;
  }
  const list = concat(directory);
  const count = options.count ?? entries.length;
  const end = words([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count & 0xffff],
    [2, count & 0xffff],
    [4, list.length],
    [4, at],
    [2, 0],
  ]);
  return concat([...parts, list, end]);
}

function words(fields: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}
