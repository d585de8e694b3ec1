/** The shortest program that uses this library: it imports it, and makes a tensor. */

import { pick, Tensor } from "tunebook";

const tensor = Tensor.from(await pick(), new Float32Array([1, 2, 3]), [3]);
await tensor.data();
