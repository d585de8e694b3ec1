/**
 * Lets zip.js read an archive from an open file, a part at a time.
 *
 * @module
 */

import { Reader } from "@zip.js/zip.js";

/** Reads bytes from a position on; gives how many there were. */
export type ReadAt = (bytes: Uint8Array, position: number) => Promise<number>;

/** An archive within an open file. */
export class ZipFileReader extends Reader<ReadAt> {
  readonly #readAt: ReadAt;
  readonly #most: number;
  override size: number;

  /**
   * @param readAt Reads the file.
   * @param size Its bytes.
   * @param most The most that is read at once: in practice, the archive's own list of its entries.
   */
  constructor(readAt: ReadAt, size: number, most: number = 64 * 2 ** 20) {
    super(readAt);
    this.#readAt = readAt;
    this.#most = most;
    this.size = size;
  }

  /** Reads a part; a shorter one where the file ends. */
  override async readUint8Array(index: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = Math.max(0, Math.min(length, this.size - index));
    if (wanted > this.#most) {
      throw new RangeError(`its list of entries has more than ${this.#most} bytes`);
    }
    const bytes = new Uint8Array(wanted);
    return bytes.slice(0, await this.#readAt(bytes, index));
  }
}
