// Texts on which tokenizers differ, for tests that compare with the crate.
import golden from "../golden/text.json" with { type: "json" };

/** Texts with tokens of the small tokenizers strewn in, and characters that components may trip over. */
export const STREWN_TEXTS: readonly string[] = [
  "<|im_start|>user\nHi<|im_end|>\n",
  " <mask> ",
  "a<mask>b",
  "<mask><mask>",
  "word words wordword a word. word_ <|end|>word",
  "<|en<|end|>d|>",
  "<|end|>",
  "<0x0A>",
  "▁▁ ▁",
  "\u0130\u00df\ufb01",
  "中中\u{1F9FF}\u{2F804}",
];

/** Texts of GPT-2's golden file, and what components may trip over. */
export const HOSTILE_TEXTS: readonly string[] = golden.encode.map(({ text }) => text).concat([
  ...STREWN_TEXTS,
  "ΑΣ Σ ΣΑΣ ὈΔΥΣΣΕΎΣ",
  "e\u0301 \u00e9 \u1e9b\u0323 \u212b \ufdfa ½ ㎏ ＡＢ ﬁ",
  "\u200b\u200c\u200d\u2028\u2029\u3000\u00a0\u0085\ufeff\u180e",
  "1٢³½Ⅷ一 12 3-4_5",
  "a-b--c---d - -",
  "--",
  "'s 'S 'll'LL ''",
  "\t\ttab\n\n\nline \r\n x",
  "寿司 🍣 ꙮ 🏳️‍🌈 각 각",
  "$€£+<=>^`|~ ¿¡ «»",
]).map((text) => text.toWellFormed());
