// Jupyter messages: signatures as other implementations make them, and what is refused.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { createHmac } from "node:crypto";
import { MessageCodec } from "../../lib/runtime/messages.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("MessageCodec signs the four parts with HMAC-SHA256 of the key", () => {
  const codec = new MessageCodec("secret");
  const frames = codec.encode(codec.create("kernel_info_request", { a: "ü" }));
  assertEquals(decode(frames[0]), "<IDS|MSG>");
  const whole = frames.slice(2).map(decode).join("");
  assertEquals(decode(frames[1]), createHmac("sha256", "secret").update(whole).digest("hex"));
});

Deno.test("MessageCodec signs as RFC 4231's second test case says", () => {
  // Key "Jefe", data "what do ya want for nothing?", here cut into the four signed parts.
  const parts = ["what do ya ", "want for ", "nothing", "?"].map(encode);
  const signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  const error = assertThrows(
    () => new MessageCodec("Jefe").decode([encode("<IDS|MSG>"), encode(signature), ...parts]),
    SyntaxError,
  );
  // The signature is right, so what is refused is the content.
  assertEquals(error.message.includes("signature"), false);
});

Deno.test("MessageCodec.decode() gives back what encode() took", () => {
  const codec = new MessageCodec("k");
  const message = codec.create("execute_request", { code: "1" });
  message.identities = [encode("peer")];
  message.buffers = [Uint8Array.of(1, 2)];
  const { bytes, ...decoded } = codec.decode(codec.encode(message));
  const { bytes: _, ...sent } = message;
  assertEquals(decoded, sent);
  assert(bytes > 0);
});

Deno.test("MessageCodec.decode() refuses another key's signature and changed content", () => {
  const codec = new MessageCodec("k");
  const frames = codec.encode(codec.create("x", {}));
  const signature = "signature does not match";
  assertThrows(() => new MessageCodec("other").decode(frames), SyntaxError, signature);
  assertThrows(() => codec.decode(frames.with(5, encode('{"a":1}'))), SyntaxError, signature);
  assertThrows(() => codec.decode(frames.with(1, encode(""))), SyntaxError, signature);
});

Deno.test("MessageCodec without a key signs nothing and takes anything", () => {
  const codec = new MessageCodec("");
  const frames = codec.encode(codec.create("x", { a: 1 }));
  assertEquals(frames[1].length, 0);
  assertEquals(codec.decode(frames.with(1, encode("zz"))).content, { a: 1 });
});

Deno.test("MessageCodec.decode() refuses what is not a message", () => {
  const codec = new MessageCodec("");
  const refuse = (frames: string[], message: string) =>
    assertThrows(() => codec.decode(frames.map(encode)), SyntaxError, message);
  refuse(["a", "b"], 'it has no "<IDS|MSG>" frame');
  refuse(["<IDS|MSG>", "", "{}"], "expected at least 5 frames after the delimiter, got 2");
  refuse(["<IDS|MSG>", "", "{", "{}", "{}", "{}"], "Cannot read message");
  refuse(["<IDS|MSG>", "", "{}", "{}", "{}", "{}"], "its header has no msg_type");
});
