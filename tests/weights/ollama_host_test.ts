import { assertEquals, assertThrows } from "@std/assert";
import { ollamaHost } from "../../lib/weights/ollama_host.ts";

Deno.test("ollamaHost() reads what OLLAMA_HOST may hold", () => {
  const cases: [string | undefined, string][] = [
    [undefined, "http://127.0.0.1:11434"],
    ["", "http://127.0.0.1:11434"],
    ["example.org", "http://example.org:11434"],
    ["example.org:80", "http://example.org:80"],
    ["10.0.0.2:1234", "http://10.0.0.2:1234"],
    [":1234", "http://127.0.0.1:1234"],
    ["0.0.0.0:1234", "http://127.0.0.1:1234"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["http://example.org", "http://example.org:80"],
    ["https://example.org/ollama/", "https://example.org:443/ollama"],
    ["[::1]:1234", "http://[::1]:1234"],
    [' "example.org:5" ', "http://example.org:5"],
  ];
  for (const [value, expected] of cases) assertEquals(ollamaHost(value), expected, value);
  for (const value of ["a b", "host:99999", "http://["]) {
    assertThrows(() => ollamaHost(value), TypeError, `Cannot use OLLAMA_HOST "${value}"`);
  }
});
