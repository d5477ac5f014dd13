// A page that is kept up by a stream says so when nothing has come for a while: its figures are old then.
const SILENCE_MS = 12_000; // the server says something each second; within 15 s the page must have said that it does not

for (const live of document.querySelectorAll("[data-live]")) {
  const notice = document.getElementById(live.dataset.live);
  let heardAt = Date.now();
  const hear = () => {
    heardAt = Date.now();
    notice.hidden = true;
    live.classList.remove("silent");
  };
  live.addEventListener("htmx:sse:after:message", hear);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) heardAt = Date.now(); });
  setInterval(() => {
    if (document.hidden || Date.now() - heardAt < SILENCE_MS) return;
    notice.hidden = false;
    live.classList.add("silent");
  }, 500);
}
