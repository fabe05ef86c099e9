// Keeps the regions of the page as the server has them, as long as the page is seen.

import { replaceContent } from "./html.js";

/** Keep the page live. Returns a function that does so with another query. */
export function keepLive(first) {
  let url = first;
  let source = null;
  const regions = [...document.querySelectorAll("[id^=live-]")];

  function open() {
    if (source || document.hidden) return;
    source = new EventSource(url);
    for (const region of regions) {
      source.addEventListener(region.id.slice("live-".length), (event) => replaceContent(region, JSON.parse(event.data)));
    }
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  open();
  return (query) => {
    url = `${first.split("?")[0]}?${new URLSearchParams({ view: window.location.pathname })}&${query}`;
    close();
    open();
  };
}
