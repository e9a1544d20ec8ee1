// Tells moments in the reader's own zone, in the page's language as the reader's region writes it.

const language = document.documentElement.lang;
const region = navigator.languages.find((own) => own.split("-")[0] === language) ?? language;
const format = new Intl.DateTimeFormat(region, {
  dateStyle: "medium",
  timeStyle: "short",
});

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.getAttribute("datetime") ?? "");
  if (Number.isNaN(moment.getTime())) continue;
  const local = format.format(moment);
  if (time.hasAttribute("data-moment")) time.textContent = local;
  else time.setAttribute("title", local);
}
