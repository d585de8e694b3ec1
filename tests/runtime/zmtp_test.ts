// ZMTP: framing from bytes cut anywhere, the handshake over a real connection, broken peers.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  encodeGreeting,
  encodeMessage,
  encodeReady,
  ZmtpConnection,
  ZmtpDecoder,
  type ZmtpUnit,
} from "../../lib/runtime/zmtp.ts";

function concat(parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

const frames = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 250, maxLength: 300 })),
  { minLength: 1, maxLength: 4 },
);

Deno.test("ZmtpDecoder puts messages together from bytes cut anywhere", () => {
  fc.assert(fc.property(
    fc.array(frames, { maxLength: 5 }),
    fc.array(fc.nat(), { maxLength: 20 }),
    (messages, cuts) => {
      const bytes = concat([encodeGreeting(), ...messages.map(encodeMessage)]);
      const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
      const decoder = new ZmtpDecoder();
      const units: ZmtpUnit[] = [];
      for (const [index, place] of [0, ...places].entries()) {
        units.push(...decoder.push(bytes.subarray(place, places[index])));
      }
      assertEquals(units, messages.map((frames) => ({ kind: "message", frames })));
    },
  ));
});

Deno.test("ZmtpDecoder reads messages byte by byte", () => {
  const decoder = new ZmtpDecoder();
  const message = [new Uint8Array(), new Uint8Array(300).fill(7), Uint8Array.of(1)];
  const bytes = concat([encodeGreeting(), encodeReady("PUB"), encodeMessage(message)]);
  const units = [...bytes].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
  assertEquals(units.map((unit) => unit.kind), ["command", "message"]);
  assertEquals(units[1], { kind: "message", frames: message });
});

Deno.test("encodeReady() is what RFC 23 says, byte for byte", () => {
  const expected = [4, 0x26, 5, ..."READY"]
    .flatMap((part) => typeof part === "string" ? part.charCodeAt(0) : part)
    .concat(11, [..."Socket-Type"].map((c) => c.charCodeAt(0)), 0, 0, 0, 3)
    .concat([..."SUB"].map((c) => c.charCodeAt(0)))
    .concat(8, [..."Identity"].map((c) => c.charCodeAt(0)), 0, 0, 0, 0);
  expected[1] = expected.length - 2;
  assertEquals([...encodeReady("SUB")], expected);
});

Deno.test("ZmtpDecoder refuses what is not ZMTP 3 with the NULL mechanism", () => {
  const push = (bytes: Uint8Array) => () => new ZmtpDecoder().push(bytes);
  assertThrows(push(new TextEncoder().encode("HTTP/1.1 200 OK")), Error, "no ZMTP signature");
  const old = encodeGreeting();
  old[10] = 1;
  assertThrows(push(old), Error, "expected version 3, got 1");
  const curve = encodeGreeting();
  curve.set(new TextEncoder().encode("CURVE"), 12);
  assertThrows(push(curve), Error, 'expected mechanism "NULL", got "CURVE"');
  curve[13] = 10; // found by fuzzing: its message had two lines
  assertThrows(push(curve), Error, String.raw`expected mechanism "NULL", got "C\nRVE"`);
});

Deno.test("ZmtpDecoder refuses frames that no peer sends", () => {
  const push = (...bytes: number[]) => () =>
    new ZmtpDecoder().push(concat([encodeGreeting(), Uint8Array.from(bytes)]));
  assertThrows(push(120, 3), Error, "its flags are 120");
  assertThrows(push(2, 0xff, 0, 0, 0, 0, 0, 0, 0), Error, "at most 1073741824 are allowed");
});

async function serve(answer: (conn: Deno.Conn) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    using conn = await listener.accept();
    await answer(conn);
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await served.catch(() => {});
    },
  };
}

Deno.test("ZmtpConnection sends and receives messages of any size in order", async () => {
  await using server = await serve(async (conn) => {
    const peer = await ZmtpConnection.open(conn, "ROUTER");
    for await (const message of peer) {
      if (message.length === 1 && message[0].length === 0) break;
      await peer.send(message);
    }
    peer.close();
  });
  using client = await ZmtpConnection.connect({ port: server.port, type: "DEALER" });
  const sizes = [0, 1, 255, 256, 70_000, 3_000_000];
  const sent = sizes.map((size) => [Uint8Array.of(size % 251), new Uint8Array(size).fill(5)]);
  // Not awaited one by one: the order of the calls must hold.
  const sending = Promise.all([...sent, [new Uint8Array()]].map((frames) => client.send(frames)));
  const received: Uint8Array[][] = [];
  for await (const frames of client) received.push(frames);
  await sending;
  assertEquals(received.map((frames) => frames[1].length), sizes);
  assertEquals(received[4], sent[4]);
});

Deno.test("ZmtpConnection.connect() with SUB subscribes to everything", async () => {
  const { promise, resolve } = Promise.withResolvers<Uint8Array[]>();
  await using server = await serve(async (conn) => {
    const peer = await ZmtpConnection.open(conn, "PUB");
    for await (const message of peer) {
      resolve(message);
      break;
    }
    peer.close();
  });
  using _client = await ZmtpConnection.connect({ port: server.port, type: "SUB" });
  assertEquals(await promise, [Uint8Array.of(1)]);
});

Deno.test("ZmtpConnection.connect() fails where the peer closes before it is ready", async () => {
  await using server = await serve(async (conn) => {
    await conn.read(new Uint8Array(64));
    await conn.write(encodeGreeting());
  });
  await assertRejects(
    () => ZmtpConnection.connect({ port: server.port, type: "DEALER" }),
    Error,
    'expected "READY", got the end',
  );
});
