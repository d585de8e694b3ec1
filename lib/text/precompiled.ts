/**
 * SentencePiece's character map (`precompiled_charsmap`): a trie of UTF-8 bytes in a double array (Aoe, "An Efficient
 * Digital Search Algorithm by Using a Double-Array Structure", 1989), then the texts that its keys become.
 *
 * It is applied as in the crate `tokenizers` (`normalizers/precompiled.rs`): to each cluster of characters of less than six
 * bytes, otherwise to each character.
 */
import { decodeBase64 } from "@std/encoding/base64";

/**
 * Reads a map.
 *
 * @param map The map in Base64, or its bytes; without one, texts are unchanged.
 * @returns What rewrites a text.
 * @throws {TypeError} If it is damaged.
 */
export function readCharacterMap(map: unknown): (text: string) => string {
  if (map === null || map === undefined || map === "") return (text) => text;
  const damaged = (reason: string) =>
    new TypeError(`Cannot build the tokenizer: its "precompiled_charsmap" ${reason}`);
  let bytes: Uint8Array;
  try {
    bytes = map instanceof Uint8Array ? map : decodeBase64(String(map));
  } catch (cause) {
    throw Object.assign(damaged("is not Base64"), { cause });
  }
  if (bytes.length === 0) return (text) => text;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length < 4 ? NaN : view.getUint32(0, true);
  if (!(size <= bytes.length - 4) || size % 4 !== 0) throw damaged("is cut short");
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const clusters = new Intl.Segmenter("en", { granularity: "grapheme" });
  const known = new Map<string, string | undefined>();
  const look = (key: string): string | undefined => {
    if (!known.has(key)) {
      const at = shortestPrefix(units, encoder.encode(key));
      const end = at === undefined ? -1 : texts.indexOf(0, at);
      const text = at === undefined
        ? undefined
        : decoder.decode(texts.subarray(at, end < 0 ? texts.length : end));
      known.set(key, text);
    }
    return known.get(key);
  };
  return (text) => {
    let rewritten = "";
    for (const { segment } of clusters.segment(text)) {
      const whole = encoder.encode(segment).length < 6 ? look(segment) : undefined;
      if (whole !== undefined) rewritten += whole;
      else for (const character of segment) rewritten += look(character) ?? character;
    }
    return rewritten;
  };
}

/** The value of the shortest key that the bytes begin with. */
function shortestPrefix(units: Uint32Array, bytes: Uint8Array): number | undefined {
  const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
  let node = units.length === 0 ? 0 : offset(units[0]);
  for (const byte of bytes) {
    node ^= byte;
    const unit = units[node];
    if (unit === undefined || byte === 0 || ((unit & 0x800000ff) >>> 0) !== byte) return undefined;
    node ^= offset(unit);
    if (unit >>> 8 & 1) return units[node] === undefined ? undefined : units[node] & 0x7fffffff;
  }
}
