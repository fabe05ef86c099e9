// Buttons that copy: the text of an element, or the address of the page.

export async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea"); // without a secure context there is no clipboard
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  if (!button) return;
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
}

export function copyButtons() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy],[data-copy-link]");
    if (!button) return;
    const text = button.dataset.copy ? document.getElementById(button.dataset.copy)?.textContent ?? "" : window.location.href;
    copyText(text, button);
  });
}
