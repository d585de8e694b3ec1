/**
 * TensorBoard's event files: records of TFRecord, each an `Event` of protocol buffers.
 *
 * A record is `length (u64), masked CRC-32C of the length, data, masked CRC-32C of the data`; see TensorFlow's
 * `record_writer.cc`, `event.proto` and `summary.proto`.
 *
 * @module
 */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import CRC32C from "crc-32/crc32c";

/** The content of a record in an event file. */
export interface Event {
  /** The time, in seconds since 1970. */
  readonly wallTime: number;
  /** The step. */
  readonly step?: number;
  /** The file's version, in its first record. */
  readonly fileVersion?: string;
  /**
   * Whether a session starts, which invalidates events of this and later steps in earlier files.
   */
  readonly sessionStart?: boolean;
  /** Numbers by tag. */
  readonly scalars?: Readonly<Record<string, number>>;
}

/** The version that readers support. */
export const FILE_VERSION = "brain.Event:2";

/**
 * Encodes an event.
 *
 * @param event The event.
 * @returns An `Event` message.
 */
export function encodeEvent(event: Event): Uint8Array<ArrayBuffer> {
  const { wallTime, step, fileVersion, sessionStart, scalars } = event;
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Bit64).double(wallTime);
  if (step !== undefined) writer.tag(2, WireType.Varint).int64(step);
  if (fileVersion !== undefined) writer.tag(3, WireType.LengthDelimited).string(fileVersion);
  if (scalars) {
    writer.tag(5, WireType.LengthDelimited).fork();
    for (const [tag, value] of Object.entries(scalars)) {
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(tag);
      writer.tag(2, WireType.Bit32).float(value);
      writer.join();
    }
    writer.join();
  }
  if (sessionStart) {
    writer.tag(7, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(1).join();
  }
  return writer.finish();
}

/**
 * Wraps data in a record.
 *
 * @param data The data.
 * @returns Length, data and their checksums.
 */
export function frameRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedChecksum(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedChecksum(data), true);
  return record;
}

/**
 * CRC-32C, rotated right by 15 bits, plus a constant: a checksum for data that contains checksums.
 */
function maskedChecksum(data: Uint8Array): number {
  const checksum = CRC32C.buf(data) >>> 0;
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
