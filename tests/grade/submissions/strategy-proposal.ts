import type { Quality, Submission } from "./submission.ts";

const shape = `interface LayerShape {
  inputs: number;
  outputs: number;
}
`;

const good = {
  scenario: `## 1. Problem scenario

**Scenario (A, B, C or D), and what it is:**

Scenario A. A shop with two employees sells pottery and gets about thirty e-mails per day. The model
reads a customer's e-mail and the state of the order, and drafts a reply that one of the two reads
before it is sent. A cold or wrong reply costs a customer.`,
  model: `## 2. Base model selection

**Base model:** \`microsoft/Phi-3-mini-4k-instruct\`

**Reasons:** With 3.8 billion parameters it runs on the shop's own laptop once it is packed to 4 bits.
It follows instructions and writes good English already, and e-mails are far shorter than its 4,096
tokens. The MIT licence allows commercial use.`,
  data: `## 3. Dataset considerations

**Description:**

Pairs of a customer's e-mail and the reply that the owners would have liked to send. They take e-mails
of the last two years, remove names and addresses, and rewrite each reply; the other one reads it.
Late parcels, broken goods and questions about glazes are all in the set, in the shares of the inbox.

**Format, with an example:**

\`\`\`jsonl
{"messages": [{"role": "user", "content": "My bowl came with a crack."}, {"role": "assistant", "content": "I am so sorry about your bowl. Would you like a new one this week?"}]}
{"messages": [{"role": "user", "content": "Is the glaze safe for food?"}, {"role": "assistant", "content": "Yes, all of our glazes are. Thank you for asking!"}]}
\`\`\`

**Size, with reasons:**

300 pairs: the tone is one, and there are about ten kinds of e-mails, so each has thirty examples. 60
more are held out, from other customers.`,
  method: `## 4. Fine-tuning method

**Method, with reasons:**

LoRA on a 16-bit base would need more memory than the laptop has, so I take QLoRA. Only the tone has
to change, which a low rank can hold.

**Settings to try:**

Rank 8 or 16 decides how much can be learnt, alpha its strength; dropout 0.1 against learning the few
pairs by heart.

**Calculation:**

32 blocks with one fused layer of 3,072 inputs and 9,216 outputs: 32 × 16 × (3,072 + 9,216) = 6,291,456
weights. 3.8e9 × 4 ÷ 8 + 6,291,456 × 16 ≈ 2.0e9 bytes.`,
  adapters: `${shape}
const adapterParameters = (rank: number, layers: LayerShape[]) => {
  let sum = 0;
  for (const layer of layers) sum += layer.inputs * rank + rank * layer.outputs;
  return sum;
};`,
  memory: `function trainingBytes(base: number, bits: number, trained: number) {
  const adapters = 4 * (1 + 1 + 2) * trained;
  return base * (bits / 8) + adapters;
}`,
  evaluation: `## 5. Evaluation strategy

**Qualitative:**

Both owners read 40 held-out replies, half by the tuned model and half by the base one, mixed, and
tick: does it answer the question, is it kind, would I send it as it is?

**Quantitative:**

The share of replies that are sent without a change, and the number of words changed in the others.
Both models are measured on the same 60 e-mails. The numbers say nothing about why a reply was
changed; the ticks do.`,
  challenges: `## 6. Potential challenges

**The challenges, and what you would do:**

The model may promise what the shop cannot keep, such as a refund, since kind replies often do. I
would search the drafts for promises, and train on replies that offer only what the order's state
allows. And replies of one person sound alike: I would look whether half of the drafts begin with the
same sentence.`,
};

/** Three submissions of the assignment "strategy-proposal". */
export const submissions: Readonly<Record<Quality, Submission>> = {
  good: { answers: good, losses: {} },
  // The optimizer's averages are forgotten, the JSON example has a comma too many, and nothing is calculated.
  fair: {
    answers: {
      ...good,
      memory: good.memory.replace("(1 + 1 + 2)", "2"),
      data: good.data.replace(
        /```jsonl[^]*```/,
        '```json\n{"prompt": "…", "completion": "…",}\n```',
      ),
      method: good.method.replace(/32 blocks[^]*/, "It fits on my laptop."),
    },
    losses: { "memory-test": 0 },
  },
  // One section without its heading, two that say next to nothing, three that were left.
  poor: {
    answers: {
      scenario: good.scenario.replace("## 1. Problem scenario", ""),
      model: "## 2. Base model selection\n\nLlama, since it is good.",
      method: "## 4. Fine-tuning method\n\nLoRA with r = 16.",
      adapters: good.adapters.replace("layer.inputs * rank", "layer.inputs"),
    },
    losses: { "adapters-test": 0, "memory-test": 0 },
  },
};
