// The report's own script, allowed in the page by its hash: theme, folding, charts, printing, and
// saving the notebook that the page carries. Everything can be read without it.
// @ts-check
"use strict";
(() => {
  const root = document.documentElement;
  const THEME = "tunebook-report-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Storage may be forbidden where a page is opened from a file.
  const stored = () => {
    try {
      return localStorage.getItem(THEME);
    } catch {
      return null;
    }
  };
  const chosen = stored();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  root.classList.add("nb-scripted");

  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  /** @param {string} name */
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  /** @type {{figure: Element, target: HTMLElement, source: any, still: Element | null}[]} */
  const charts = [];

  /**
   * The page's colours, for what a figure leaves open. A figure with a background of its own keeps
   * its own colours.
   * @param {any} source
   */
  const layoutOf = (source) => {
    const layout = structuredClone(source.layout);
    const own = layout.paper_bgcolor;
    if (own && !/^rgba\(.*,\s*0(\.0*)?\)$|^transparent$/.test(own)) return layout;
    const line = color("--nb-grid");
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
    const ink = color("--nb-ink");
    layout.paper_bgcolor = "rgba(0,0,0,0)";
    if (!layout.plot_bgcolor) layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font = { color: ink, family: color("--nb-sans"), size: 13, ...layout.font };
    for (const name of ["xaxis", "yaxis", ...Object.keys(layout)]) {
      if (!/^[xy]axis\d*$/.test(name)) continue;
      const given = layout[name] ?? {};
      const label = typeof given.title === "string" ? { text: given.title } : given.title;
      layout[name] = { ...axis, ...given };
      if (label?.text) layout[name].title = { standoff: 8, font: { size: 13 }, ...label };
    }
    // The legend stands where no axis does: above the chart, or under it where an axis is on top.
    const topAxis = Object.keys(layout).some((name) =>
      /^xaxis\d*$/.test(name) && layout[name].side === "top"
    );
    layout.legend = {
      orientation: "h",
      x: 0,
      ...(topAxis
        ? { y: 0, yref: "container", yanchor: "bottom" }
        : { y: 1.02, yanchor: "bottom" }),
      ...layout.legend,
    };
    layout.hoverlabel = {
      bgcolor: color("--nb-raised"),
      bordercolor: line,
      font: { color: ink },
      ...layout.hoverlabel,
    };
    // Without a background of its own the tool bar gets a grey block where pointers cannot hover.
    layout.modebar = {
      bgcolor: "rgba(0,0,0,0)",
      color: color("--nb-muted"),
      activecolor: ink,
      ...layout.modebar,
    };
    const title = typeof layout.title === "string" ? { text: layout.title } : layout.title;
    if (title?.text) {
      layout.title = { x: 0, xref: "paper", xanchor: "left", y: 0.98, yanchor: "top", ...title };
    }
    const top = 28 + (title?.text ? 32 : 0) + (topAxis ? 32 : 0);
    if (!layout.margin) layout.margin = { l: 56, r: 16, t: top, b: topAxis ? 80 : 48 };
    return layout;
  };

  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: "hover",
    showSendToCloud: false,
    showEditInChartStudio: false,
    scrollZoom: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  };

  const drawAll = async () => {
    const plotly = /** @type {any} */ (globalThis).Plotly;
    for (const figure of plotly ? document.querySelectorAll(".nb-chart") : []) {
      const text = figure.querySelector(":scope > .nb-figure-data")?.textContent;
      const still = figure.querySelector(":scope > .nb-still");
      const target = /** @type {HTMLElement | null} */ (
        still?.querySelector(".tb-live") ?? figure.querySelector(":scope > .nb-plot")
      );
      if (!text || !target) continue;
      try {
        const source = JSON.parse(text);
        await plotly.newPlot(target, structuredClone(source.data), layoutOf(source), config);
        charts.push({ figure, target, source, still });
        showLive(charts[charts.length - 1], true);
      } catch (error) {
        // The static drawing stays.
        target.replaceChildren();
        console.warn("Cannot draw a chart:", error);
      }
    }
    root.classList.add("nb-drawn");
  };

  /**
   * Shows the live chart or its static drawing.
   * @param {typeof charts[number]} chart
   * @param {boolean} live
   */
  const showLive = ({ figure, still, target }, live) => {
    figure.classList.toggle("nb-live", live);
    const drawing = still?.querySelector(".tb-figure");
    drawing?.classList.toggle("tb-drawn", live);
    target.style.display = live || !still ? "" : "none";
  };

  const recolor = () => {
    const plotly = /** @type {any} */ (globalThis).Plotly;
    for (const { target, source } of charts) {
      plotly.react(target, structuredClone(source.data), layoutOf(source), config);
    }
  };

  const saveNotebook = async () => {
    const data = document.getElementById("nb-notebook");
    if (!data?.textContent) return;
    const bytes = Uint8Array.from(atob(data.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const blob = new Blob([await new Response(stream).arrayBuffer()], {
      type: "application/x-ipynb+json",
    });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = data.dataset.name || "notebook.ipynb";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  // Paper gets the static drawings, and all of how the report was made. Charts without one are
  // drawn anew for the width and the colours of paper.
  /** @type {HTMLDetailsElement[]} */
  let opened = [];
  const PAPER_WIDTH = 640;
  addEventListener("beforeprint", () => {
    opened = [
      .../** @type {NodeListOf<HTMLDetailsElement>} */ (
        document.querySelectorAll("footer details:not([open])")
      ),
    ];
    for (const details of opened) details.open = true;
    const plotly = /** @type {any} */ (globalThis).Plotly;
    const theme = root.dataset.theme;
    root.dataset.theme = "light";
    for (const chart of charts) {
      if (chart.still) showLive(chart, false);
      else {
        plotly.react(chart.target, structuredClone(chart.source.data), {
          ...layoutOf(chart.source),
          width: PAPER_WIDTH,
        }, { ...config, responsive: false });
      }
    }
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    for (const chart of charts) showLive(chart, true);
    recolor();
  });

  /** What is wider or longer than its box can be scrolled with the keyboard. */
  const letKeysScroll = () => {
    const boxes = /** @type {NodeListOf<HTMLElement>} */ (
      document.querySelectorAll("main pre, .table-scroll, .nb-confined, .math-display")
    );
    for (const box of boxes) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 ||
        box.scrollHeight > box.clientHeight + 1;
      if (scrolls) {
        box.tabIndex = 0;
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", box.closest(".nb-code") ? "Code" : "Output, scrolls");
      } else box.removeAttribute("tabindex");
    }
  };

  const followHeadings = () => {
    const links = new Map();
    for (const link of document.querySelectorAll(".nb-toc a")) {
      links.set(decodeURIComponent(link.getAttribute("href") ?? "").slice(1), link);
    }
    const headings = [...links.keys()].map((id) => document.getElementById(id)).filter((h) => h);
    if (headings.length === 0) return;
    const update = () => {
      let current = headings[0];
      for (const heading of headings) {
        if (/** @type {HTMLElement} */ (heading).getBoundingClientRect().top > innerHeight / 4) {
          break;
        }
        current = heading;
      }
      for (const [id, link] of links) {
        if (id === current?.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        update();
      });
    }, { passive: true });
    update();
  };

  addEventListener("DOMContentLoaded", () => {
    const themeButton = document.getElementById("nb-theme");
    const sayTheme = () => themeButton?.setAttribute("aria-pressed", String(isDark()));
    sayTheme();
    themeButton?.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem(THEME, root.dataset.theme);
      } catch { /* The choice lasts as long as the page. */ }
      sayTheme();
      recolor();
    });
    dark.addEventListener("change", () => {
      if (root.dataset.theme) return;
      sayTheme();
      recolor();
    });

    const cells = /** @type {NodeListOf<HTMLDetailsElement>} */ (
      document.querySelectorAll("details.nb-code")
    );
    const foldButton = document.getElementById("nb-fold");
    const sayFold = () => {
      if (foldButton) {
        foldButton.textContent = [...cells].some((cell) => cell.open) ? "Hide code" : "Show code";
      }
    };
    sayFold();
    foldButton?.addEventListener("click", () => {
      const open = ![...cells].some((cell) => cell.open);
      for (const cell of cells) cell.open = open;
      sayFold();
    });
    for (const cell of cells) cell.addEventListener("toggle", sayFold);

    document.getElementById("nb-save")?.addEventListener("click", saveNotebook);
    followHeadings();
    drawAll();
    letKeysScroll();
    addEventListener("resize", letKeysScroll);
  });
})();
