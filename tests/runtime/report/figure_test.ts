import { assertEquals } from "@std/assert";
import { cleanFigure } from "../../../lib/runtime/report/figure.ts";

const scatter = { type: "scatter", x: [1, 2], y: [3, null] };

Deno.test("cleanFigure() keeps data and layout, and no fixed width", () => {
  assertEquals(
    cleanFigure({
      data: [scatter],
      layout: { title: { text: "T" }, width: 900, height: 300 },
      config: {},
    }),
    { data: [scatter], layout: { title: { text: "T" }, height: 300 } },
  );
  assertEquals(cleanFigure({ data: [] })?.layout, { height: 380 });
  assertEquals(cleanFigure({ data: [], layout: { height: 1e9 } })?.layout.height, 1600);
});

Deno.test("cleanFigure() refuses what is not a figure, or not drawable here", () => {
  for (
    const value of [undefined, null, 1, "x", [], {}, { data: {} }, { data: [null] }, {
      data: [{ type: "scatter3d" }],
    }]
  ) {
    assertEquals(cleanFigure(value), undefined);
  }
});

Deno.test("cleanFigure() takes links out of labels and keeps the rest of them", () => {
  const text = (label: string) => cleanFigure({ data: [{ name: label }] })?.data[0].name;
  assertEquals(text('<a href="javascript:1">here</a>'), "here");
  assertEquals(text('<<a href=x>a href="https://evil.example">y</a>'), "y");
  assertEquals(text("a<br>b <b>bold</b> H<sub>2</sub>O"), "a<br>b <b>bold</b> H<sub>2</sub>O");
  assertEquals(text("<img src=x onerror=1>"), "&lt;img src=x onerror=1&gt;");
  assertEquals(
    text('<span style="background:url(x)">y</span>'),
    '&lt;span style="background:url(x)"&gt;y</span>',
  );
  assertEquals(text("<|endoftext|> <unk>"), "&lt;|endoftext|&gt; &lt;unk&gt;");
  assertEquals(text("a <"), "a &lt;");
  assertEquals(text("1 > 0 & so on"), "1 > 0 & so on");
});

Deno.test("cleanFigure() drops addresses, menus and prototypes, and keeps embedded images", () => {
  const png = "data:image/png;base64,AA==";
  const clean = cleanFigure({
    data: [{ type: "image", source: "https://evil.example/a.png" }],
    layout: {
      images: [{ source: "https://evil.example/b.png", x: 1 }, { source: png }],
      updatemenus: [{}],
      modebar: { add: ["sendDataToCloud"] },
      ...JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 1}'),
    },
  });
  assertEquals(clean, {
    data: [{ type: "image" }],
    layout: { images: [{ x: 1 }, { source: png }], height: 380 },
  });
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("cleanFigure() bounds depth and size", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  assertEquals(JSON.stringify(cleanFigure({ data: [{ x: deep }] })).length < 200, true);
  assertEquals(cleanFigure({ data: [{ x: new Array(2_100_000).fill(1) }] }), undefined);
});
