/**
 * Operations as methods of tensors, and how tensors show themselves. Loaded by `mod.ts`; nothing is exported.
 *
 * @module
 */

import { describe, describeSoon, displayBundle } from "./display.ts";
import * as elementwise from "./elementwise/mod.ts";
import { argmax } from "./ops/argmax/argmax.ts";
import { broadcastTo } from "./ops/broadcast_to/broadcast_to.ts";
import { cumulativeSum } from "./ops/cumulative_sum/cumulative_sum.ts";
import { gather } from "./ops/gather/gather.ts";
import { gelu } from "./ops/gelu/gelu.ts";
import { matmul } from "./ops/matmul/matmul.ts";
import { permute, transpose } from "./ops/permute/permute.ts";
import { reshape } from "./ops/reshape/reshape.ts";
import { slice } from "./ops/slice/slice.ts";
import { logSoftmax, softmax } from "./ops/softmax/softmax.ts";
import { variance } from "./ops/variance/variance.ts";
import * as reductions from "./reductions/mod.ts";
import { backward } from "./tape.ts";
import { Tensor } from "./tensor.ts";

/** Functions whose first argument is the tensor. */
const operations = {
  ...elementwise,
  ...reductions,
  argmax,
  backward,
  broadcastTo,
  cumulativeSum,
  gather,
  gelu,
  logSoftmax,
  matmul,
  permute,
  reshape,
  slice,
  softmax,
  transpose,
  variance,
  show: async (tensor: Tensor): Promise<void> => console.log(await describeSoon(tensor)),
};

/** The methods that these functions come to. */
type Methods = {
  [Name in keyof typeof operations]: (typeof operations)[Name] extends
    (tensor: Tensor, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;
};

// Every operation is a method, with the same arguments, and the other way round.
type Check<Declared extends Methods> = Declared;
export type Checked = Check<Pick<Tensor, keyof Methods>>;

for (const [name, operation] of Object.entries(operations)) {
  define(name, function (this: Tensor, ...rest: unknown[]) {
    return (operation as (tensor: Tensor, ...rest: unknown[]) => unknown)(this, ...rest);
  });
}

define("toString", function (this: Tensor) {
  return describe(this);
});
define(Symbol.for("Deno.customInspect"), function (this: Tensor) {
  return describe(this);
});
define(Symbol.for("nodejs.util.inspect.custom"), function (this: Tensor) {
  return describe(this);
});
define(Symbol.for("Jupyter.display"), function (this: Tensor) {
  return displayBundle(this);
});

function define(name: string | symbol, value: unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
}
