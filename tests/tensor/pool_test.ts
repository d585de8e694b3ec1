import { assertEquals } from "@std/assert";
import { Pool, sizeClass } from "../../lib/tensor/pool.ts";

const MIB = 1024 * 1024;

Deno.test("sizeClass() is at least what is needed, at most a quarter more, and one of few", () => {
  const classes = new Set<number>();
  for (let bytes = 1; bytes < 100 * MIB; bytes = Math.ceil(bytes * 1.01)) {
    const size = sizeClass(bytes);
    assertEquals(size % 256, 0);
    assertEquals(size >= bytes && (size <= 1.25 * bytes || size === 1024), true, `${bytes}`);
    if (size <= 16 * MIB) classes.add(size);
    assertEquals(sizeClass(size), size);
  }
  assertEquals(classes.size <= 4 * 14 + 1, true, `${classes.size}`);
});

Deno.test("Pool.take() gives the smallest that is large enough, and none that is far too large", () => {
  const pool = new Pool<string>();
  pool.put(2 * MIB, "2");
  pool.put(4 * MIB, "4");
  pool.put(4 * MIB, "another 4");
  pool.put(900 * MIB, "900");
  assertEquals(pool.take(3 * MIB), "another 4");
  assertEquals(pool.take(4 * MIB), "4");
  assertEquals(pool.take(3 * MIB), undefined); // a model's memory is not for a batch
  assertEquals(pool.take(1024), undefined);
  assertEquals(pool.take(15 * MIB), "900");
  assertEquals(pool.drain(), ["2"]);
  assertEquals(pool.take(2 * MIB), undefined);
});
