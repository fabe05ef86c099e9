// Times in the browser's own zone; the server renders them in UTC.

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export function localTimes(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const isToday = at.toDateString() === today;
    element.textContent = "long" in element.dataset ? long.format(at) : isToday ? time.format(at) : `${day.format(at)} ${time.format(at)}`;
    element.title = long.format(at);
  }
}
