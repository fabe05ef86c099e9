// The search box: results while typing, and suggestions for the term at the cursor.

import { replaceContent } from "./html.js";

const WAIT = 200; // milliseconds without a key until the results are asked for
const BUSY = 150; // milliseconds after which a sign shows that they are

export function searchBox(form, keepLive) {
  const input = form.elements.q;
  const list = document.getElementById("suggested");
  const found = document.getElementById("live-found");
  let timer = null;
  let asked = null;
  let chosen = -1;

  function address(part) {
    const query = new URLSearchParams({ q: input.value });
    if (part) query.set("part", "1");
    return `${form.action}?${query}`;
  }

  async function search() {
    asked?.abort();
    const mine = (asked = new AbortController());
    const busy = setTimeout(() => form.classList.add("busy"), BUSY);
    try {
      const response = await fetch(address(true), { signal: mine.signal });
      if (response.redirected || !response.ok) return window.location.assign(address(false));
      replaceContent(found, await response.text());
      window.history.replaceState(null, "", address(false));
      keepLive(new URLSearchParams({ q: input.value }));
    } catch (error) {
      if (!mine.signal.aborted) throw error;
    } finally {
      clearTimeout(busy);
      if (asked === mine) form.classList.remove("busy");
    }
  }

  function term() {
    const before = input.value.slice(0, input.selectionStart);
    return before.slice(before.lastIndexOf(" ") + 1);
  }

  async function suggest() {
    const typed = term();
    if (typed.startsWith('"')) return hide();
    const response = await fetch(`${form.dataset.suggest}?${new URLSearchParams({ term: typed })}`);
    if (!response.ok || typed !== term() || document.activeElement !== input) return;
    const options = (await response.json()).filter((each) => each.text !== typed);
    list.replaceChildren(...options.map(option));
    chosen = -1;
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(Boolean(options.length)));
    input.removeAttribute("aria-activedescendant");
  }

  function option({ text, hint }, number) {
    const item = document.createElement("li");
    item.id = `suggested-${number}`;
    item.role = "option";
    item.dataset.text = text;
    const name = document.createElement("code");
    name.textContent = text;
    const more = document.createElement("span");
    more.textContent = hint;
    item.append(name, more);
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      take(item);
    });
    return item;
  }

  function hide() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function choose(step) {
    const items = [...list.children];
    items[chosen]?.removeAttribute("aria-selected");
    chosen = (chosen + step + items.length) % items.length;
    items[chosen].setAttribute("aria-selected", "true");
    input.setAttribute("aria-activedescendant", items[chosen].id);
  }

  function take(item) {
    const at = input.selectionStart;
    const begin = at - term().length;
    const text = item.dataset.text + (item.dataset.text.endsWith(":") ? "" : " ");
    input.setRangeText(text, begin, at, "end");
    hide();
    changed();
  }

  function changed() {
    hide(); // the list belongs to what was typed before
    clearTimeout(timer);
    timer = setTimeout(search, WAIT);
    suggest();
  }

  input.addEventListener("input", changed);
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      hide();
    } else if (list.hidden) {
      if (event.key === "ArrowDown") suggest();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Tab" || (event.key === "Enter" && chosen >= 0)) {
      event.preventDefault();
      take(list.children[Math.max(0, chosen)]);
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    hide();
    window.history.pushState(null, "", window.location.href);
    search();
  });
  window.addEventListener("popstate", () => window.location.reload());
}
