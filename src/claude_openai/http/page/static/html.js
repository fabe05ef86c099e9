// The one place that parses HTML: what this server rendered and escaped.

const policy = window.trustedTypes?.createPolicy("page", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

/** Replace the content of `region` by `html`, unless it is the same; keep the focus and the chosen row. */
export function replaceContent(region, html) {
  const focused = document.activeElement;
  const inside = region.contains(focused) ? pathOf(focused, region) : null;
  const current = region.querySelector("[aria-current=row]")?.id;
  region.innerHTML = policy.createHTML(html);
  if (current) document.getElementById(current)?.setAttribute("aria-current", "row");
  if (inside) region.querySelector(inside)?.focus({ preventScroll: true });
  region.dispatchEvent(new CustomEvent("replaced", { bubbles: true }));
}

/** A selector of `element` that still fits after its region was rendered again. */
function pathOf(element, region) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const row = element.closest("[id]");
  if (!row || !region.contains(row) || row === region) return null;
  return `#${CSS.escape(row.id)} ${element.localName}`;
}
