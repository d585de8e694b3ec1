// Cells whose outputs are those of the stock kernel: the value of the last statement, JSX, exports.

import { assertEquals } from "@std/assert";
import { Kernel } from "../../lib/runtime/kernel.ts";
import { Session } from "../../lib/runtime/session.ts";

/** Cells of one notebook, in order. */
const CELLS = [
  "{\n  const tmp = 20;\n  tmp + 22\n}",
  "{ 1; let q = 2; }",
  "if (1 < 2) { Deno.jupyter.html`<b>shown</b>` }",
  "1; if (false) 2;",
  "if (false) 1; else if (true) 'else'",
  "for (const v of [1, 2, 3]) v * 10",
  "for (const v of [1, 2, 3]) { if (v < 3) v * 10 }",
  "for (const v of [1, 2, 3]) { v; if (v === 2) { 'found'; break; } }",
  "for (let k = 0; k < 2; k++) k",
  "for (const key in { a: 1 }) key",
  "for await (const v of [4, 5]) v",
  "let i = 0; while (i < 3) { i++; }",
  "do { 9 } while (false)",
  "switch (2) { case 2: 'two'; break; default: 'x' }",
  "try { JSON.parse('[1]') } catch { null }",
  "try { 1; throw 1 } catch { 'caught' } finally { 'finally' }",
  "try { 1; throw 1 } catch {}",
  "lab: { 7; break lab; }",
  "{ a: 1 }",
  "{ a: 1 };",
  "{}",
  "const z = 5; if (z) z + 1",
  "if (true) { await Promise.resolve(8) }",
  "{ function inner() {} }",
  "export const e1 = 4; e1 + 1",
  "e1",
  "export default 42",
  "export default function g() { return 1 }",
  "g()",
  "export { e1 }",
  "export type T = number; export interface I { a: T } 3",
  "export default class Foo {}",
  "new Foo()",
  "const id = <T,>(x: T) => x; id(3)",
  "const cast = <any>3; cast",
  "/** @jsx make */\nconst make = (tag, props, ...inner) => ({ tag, ...props, inner });\n<b title='x'>y</b>",
  "<i>{1 + 1}</i>",
  "const Part = () => 1; (<Part />).tag === Part",
];

/** The data of what each cell displays, from the kernel itself. */
async function stock(cells: readonly string[]): Promise<unknown[][]> {
  await using kernel = await Kernel.start();
  const shell = kernel.messages("shell"), iopub = kernel.messages("iopub");
  const ask = async (type: string, content: Record<string, unknown>) => {
    await kernel.send("shell", type, content);
    return (await shell.next()).value;
  };
  const run = (code: string) =>
    ask("execute_request", { code, silent: false, store_history: true });
  // A request after each cell marks its end among the outputs.
  const shown: unknown[][] = [];
  let at = -1;
  const heard = Promise.withResolvers<void>();
  (async () => {
    for await (const { header, content } of iopub) {
      heard.resolve();
      const text = content.text ?? "";
      const mark = /^mark (\d+)\n$/.exec(text);
      if (mark) at = Number(mark[1]);
      else if (/result|display/.test(header.msg_type)) (shown[at] ??= []).push(content.data);
    }
  })();
  let subscribed = false;
  heard.promise.then(() => subscribed = true);
  while (!subscribed) await ask("kernel_info_request", {});
  for (const [index, cell] of cells.entries()) {
    await run(`console.log("mark ${index}")`);
    while (at < index) await ask("kernel_info_request", {});
    await run(cell);
  }
  await run(`console.log("mark ${cells.length}")`);
  while (at < cells.length) await ask("kernel_info_request", {});
  return cells.map((_, index) => shown[index] ?? []);
}

Deno.test("cells show what they show on the stock kernel", async () => {
  const expected = await stock(CELLS);
  await using session = await Session.start();
  for (const [index, cell] of CELLS.entries()) {
    const { outputs, error } = await session.execute(cell);
    assertEquals(error, undefined, cell);
    const got = outputs.map((output) => "data" in output ? output.data : output);
    assertEquals(got, expected[index], cell);
  }
});
