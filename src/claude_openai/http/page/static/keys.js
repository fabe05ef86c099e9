// The keyboard: off while a field has the focus, and with modifiers.

const GO = { n: "/", r: "/runs", s: "/stats", t: "/try", u: "/setup" };
const GO_WAIT = 1500; // milliseconds between g and the next key

export function keyboard(root) {
  let goes = 0;

  function rows() {
    return [...document.querySelectorAll("table.runs tbody tr")];
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((row) => row.getAttribute("aria-current") === "row");
    const next = Math.min(all.length - 1, Math.max(0, now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step));
    all[now]?.removeAttribute("aria-current");
    all[next].setAttribute("aria-current", "row");
    const link = all[next].querySelector("a");
    link.focus({ preventScroll: true });
    all[next].scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input,select,textarea,dialog");
    if (event.key === "Escape" && field && field.localName !== "dialog") field.blur();
    if (field || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key;
    if (event.timeStamp - goes < GO_WAIT && goes && GO[key]) {
      window.location.assign(root + GO[key]);
    } else if (key === "/") {
      const search = document.querySelector("[role=search] :is(input,select)");
      if (!search) return;
      search.focus();
    } else if (key === "j" || key === "k") {
      move(key === "j" ? 1 : -1);
    } else if (key === "?") {
      document.getElementById("keys").showModal();
    } else if (key === "Escape" && window.location.pathname.startsWith(`${root}/runs/`)) {
      window.history.length > 1 ? window.history.back() : window.location.assign(`${root}/runs`);
    } else if (key !== "g") {
      return;
    }
    goes = key === "g" ? event.timeStamp : 0;
    event.preventDefault();
  });
}
