// The answer of a run while it is written.

const WAIT = 50; // milliseconds: the text is shown at most as often

export function follow(target) {
  const source = new EventSource(target.dataset.follow);
  let pending = "";
  let timer = null;

  function show() {
    timer = null;
    target.append(pending);
    pending = "";
  }

  function add(text) {
    pending += text;
    timer ??= setTimeout(show, WAIT);
  }

  source.addEventListener("text", (event) => add(JSON.parse(event.data).text));
  source.addEventListener("tool_call", (event) => {
    const call = JSON.parse(event.data);
    add(`\n${call.name} ${call.arguments}\n`);
  });
  source.addEventListener("activity", (event) => {
    const activity = JSON.parse(event.data);
    add(activity.result === null ? `\n[${activity.tool} ${activity.arguments}]\n` : `\n[${activity.failed ? "failed" : "done"}]\n`);
  });
  source.addEventListener("end", () => {
    source.close();
    window.location.reload();
  });
  window.addEventListener("pagehide", () => source.close());
}
