/** The side of jax-js (https://jax-js.com), the fastest array library for JavaScript that we know of. */

import { blockUntilReady, defaultDevice, type Device, init, numpy } from "@jax-js/jax";
import { type Prepare, serve } from "./serve.ts";

const prepareMatmul: Prepare = async ({ backend, n }: { backend: Device; n: number }) => {
  await init(backend);
  defaultDevice(backend);
  const matrix = () =>
    numpy.array(Float32Array.from({ length: n * n }, () => Math.random() - 0.5)).reshape([n, n]);
  const a = matrix(), b = matrix();
  await blockUntilReady([a, b]);
  const run = async () => {
    const begin = performance.now();
    // Its functions consume their arguments.
    const c = numpy.matmul(a.ref, b.ref);
    await blockUntilReady(c);
    const seconds = (performance.now() - begin) / 1000;
    c.dispose();
    return { seconds };
  };
  return { run, about: `jax-js, ${backend}` };
};

await serve({ matmul: prepareMatmul });
