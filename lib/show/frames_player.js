// Runs in pages: gives a row of frames (frames.ts) its controls, and shows one frame at a time. Without it the frames
// are folded sections, of which one is open. Reports and notebooks take the same text, so it stands by itself.
// @ts-check
/** @param {Element} root The `.tb-frames` element. */
// deno-lint-ignore no-unused-vars -- whoever takes the text calls it
function playFrames(root) {
  if (root.classList.contains("tb-playing")) return;
  const frames = /** @type {HTMLDetailsElement[]} */ ([
    ...root.querySelectorAll(":scope > .tb-frame"),
  ]);
  const bar = root.querySelector(":scope > .tb-controls");
  const open = frames.find((frame) => frame.open) ?? frames[0];
  if (!bar || !open) return;
  const place = (/** @type {Element} */ frame) =>
    (/\btb-at-([\d-]+)/.exec(frame.className)?.[1] ?? "").split("-").map(Number);
  const at = place(open);
  const byPlace = new Map(frames.map((frame) => [place(frame).join("-"), frame]));
  const show = () => {
    const current = byPlace.get(at.join("-"));
    for (const frame of frames) {
      frame.open = frame === current;
      frame.hidden = frame !== current;
    }
  };
  /**
   * @param {string} tag
   * @param {Record<string, string>} [attributes]
   * @param {(string | Node)[]} [children]
   */
  const element = (tag, attributes = {}, children = []) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const made = [...bar.children].map((control, i) => {
    const name = control.querySelector("b")?.textContent ?? "";
    const values = [...control.querySelectorAll("span")].map((value) => value.textContent ?? "");
    /** @param {number} index */
    const go = (index) => {
      at[i] = Math.max(0, Math.min(values.length - 1, index));
      show();
      update();
    };
    let update = () => {};
    if (control.classList.contains("tb-toggle")) {
      const box = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox" }));
      box.onchange = () => go(Number(box.checked));
      update = () => void (box.checked = at[i] === 1);
      update();
      return element("label", { class: "tb-control tb-toggle" }, [box, ` ${name}`]);
    }
    if (control.classList.contains("tb-slider")) {
      const range = /** @type {HTMLInputElement} */ (element("input", {
        type: "range",
        min: "0",
        max: String(values.length - 1),
        "aria-label": name,
      }));
      const said = element("output");
      /** @param {string} sign @param {string} label @param {number} step */
      const button = (sign, label, step) => {
        const made = /** @type {HTMLButtonElement} */ (element("button", {
          type: "button",
          "aria-label": `${name}: ${label}`,
        }, [sign]));
        made.onclick = (event) => {
          go(at[i] + step);
          // After a click with the pointer the arrow keys move the slider; a pressed key stays on its button.
          if (event.detail > 0) range.focus();
        };
        return made;
      };
      const [back, on] = [button("‹", "one step back", -1), button("›", "one step on", 1)];
      range.oninput = () => go(Number(range.value));
      range.onclick = () => range.focus(); // JupyterLab moves the focus to the cell
      update = () => {
        range.value = String(at[i]);
        range.setAttribute("aria-valuetext", values[at[i]]);
        said.textContent = values[at[i]];
        back.disabled = at[i] === 0;
        on.disabled = at[i] === values.length - 1;
      };
      update();
      return element("div", { class: "tb-control" }, [
        element("b", {}, [name]),
        back,
        range,
        on,
        said,
      ]);
    }
    const buttons = values.map((value, index) => {
      const made =
        /** @type {HTMLButtonElement} */ (element("button", { type: "button" }, [value]));
      made.onclick = () => go(index);
      return made;
    });
    update = () => buttons.forEach((b, k) => b.setAttribute("aria-pressed", String(k === at[i])));
    update();
    return element("div", { class: "tb-control", role: "group", "aria-label": name }, [
      element("b", {}, [name]),
      ...buttons,
    ]);
  });
  bar.replaceChildren(...made);
  // JupyterLab would take the arrow keys for its own: they select another cell.
  bar.setAttribute("data-lm-suppress-shortcuts", "true");
  root.classList.add("tb-playing");
  show();
}
