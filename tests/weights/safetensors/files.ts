// Safetensors files made byte by byte, so that tests can make broken ones.

/** A safetensors file with a given header text and number of data bytes. */
export function rawFile(
  header: unknown,
  dataBytes = 0,
  announced?: bigint,
): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, announced ?? BigInt(json.length), true);
  bytes.set(json, 8);
  for (let i = 0; i < dataBytes; i++) bytes[8 + json.length + i] = i * 7;
  return bytes;
}

/** A header entry. */
export function entry(dtype: string, shape: unknown, start: unknown, end: unknown) {
  return { dtype, shape, data_offsets: [start, end] };
}
