// Keys of the pages. A key does something only where nobody types, and only one that the page names itself.
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const rows = () => [...document.querySelectorAll("[data-rows] tbody tr")];

// A function key of the page, and Ctrl-Enter, work where somebody types: the caller does not wait until he is done.
document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    const send = event.target.form?.querySelector("[data-send]");
    if (send) { event.preventDefault(); send.click(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest(TYPED) && !/^F\d+$/.test(event.key)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "?") return toggleKeys(event);
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") return step(event, event.key === "j" ? 1 : -1);
  const named = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
  if (!named || named.disabled) return;
  event.preventDefault();
  if (named.matches(TYPED)) named.focus();
  else named.click();
});

function step(event, by) {
  const all = rows();
  if (!all.length) return;
  event.preventDefault();
  const now = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(Math.max(now + by, 0), all.length - 1)];
  next.querySelector("a").focus();
}

// The keys of a page, from the page itself, so that the list is never another one than what works.
function toggleKeys(event) {
  event?.preventDefault();
  const box = document.getElementById("keys");
  if (box.open) return box.close();
  const list = box.querySelector("dl");
  for (const old of list.querySelectorAll(".own")) old.remove();
  for (const one of document.querySelectorAll("[data-key]")) {
    const [key, word] = [document.createElement("dt"), document.createElement("dd")];
    key.className = word.className = "own";
    const cap = document.createElement("kbd");
    cap.textContent = one.dataset.key;
    key.append(cap);
    const copy = one.cloneNode(true);
    for (const part of copy.querySelectorAll("kbd")) part.remove();
    word.textContent = one.getAttribute("aria-label") ?? copy.textContent.trim();
    list.append(key, word);
  }
  box.showModal();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) return toggleKeys();
  const choose = event.target.closest("[data-choose]");
  if (!choose) return;
  const boxes = [...choose.form.querySelectorAll(`[name=${choose.dataset.choose}]`)];
  const all = boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = !all;
});

// A draft survives a reload and a lost connection: it is kept in this tab until the form is sent and taken.
for (const form of document.querySelectorAll("form[data-draft]")) {
  const name = `draft ${form.dataset.draft}`;
  const fields = [...form.elements].filter((one) => one.name && one.name !== "act" && one.dataset.keep !== "no");
  const kept = JSON.parse(sessionStorage.getItem(name) ?? "{}");
  for (const one of fields) {
    if (!(one.name in kept) || form.dataset.refused) continue;
    if (one.type === "radio") one.checked = one.value === kept[one.name];
    else if (one.type === "checkbox") one.checked = kept[one.name];
    else if (one.tagName === "SELECT" || !one.value) one.value = kept[one.name];
  }
  // What a draft says is looked up as if it had just been typed.
  if (Object.keys(kept).length) addEventListener("load", () => form.querySelector("[hx-trigger=change] input")?.dispatchEvent(new Event("change", { bubbles: true })));
  // Sent, and no answer came: sent once more as it stands it is the same act, and has one effect.
  if (kept.act && form.elements.act && !form.dataset.refused) form.elements.act.value = kept.act;
  form.addEventListener("submit", () => {
    const draft = JSON.parse(sessionStorage.getItem(name) ?? "{}");
    sessionStorage.setItem(name, JSON.stringify({ ...draft, act: form.elements.act?.value }));
  });
  const keep = () => {
    const draft = {};
    for (const one of fields) {
      if (one.type === "checkbox") draft[one.name] = one.checked;
      else if (one.type !== "radio" || one.checked) draft[one.name] = one.value;
    }
    sessionStorage.setItem(name, JSON.stringify(draft));
  };
  form.addEventListener("input", keep);
  if (form.dataset.filled) keep();
}
for (const done of document.querySelectorAll("[data-done]")) {
  for (const name of Object.keys(sessionStorage)) {
    if (`${name}/`.startsWith(`draft ${done.dataset.done}/`)) sessionStorage.removeItem(name);
  }
}


// Drafts of other calls, which were dropped or came meanwhile.
const drafts = document.getElementById("drafts");
if (drafts) {
  const here = `draft ${document.querySelector("form[data-draft]").dataset.draft}`;
  for (const name of Object.keys(sessionStorage)) {
    const address = name.slice("draft ".length);
    if (name === here || !/^draft \/record(\?|$)/.test(name)) continue;
    const link = document.createElement("a");
    const call = new URLSearchParams(address.split("?")[1] ?? "").get("call");
    link.href = address;
    link.textContent = call ? `${drafts.dataset.word} ${call}` : drafts.dataset.none;
    drafts.append(link);
    drafts.hidden = false;
  }
}

// A call that was just answered opens its record by itself, unless somebody is at a form: then the strip tells of it.
const strip = document.getElementById("call-strip");
if (strip) {
  const open = () => {
    const call = strip.querySelector("[data-call]");
    if (!call || call.dataset.call === sessionStorage.getItem("call opened")) return;
    sessionStorage.setItem("call opened", call.dataset.call);
    const here = document.querySelector("form[data-draft]");
    const typed = here && sessionStorage.getItem(`draft ${here.dataset.draft}`);
    if (!call.matches(".over") && !typed && location.pathname + location.search !== call.dataset.open) location.assign(call.dataset.open);
  };
  new MutationObserver(open).observe(strip, { childList: true, subtree: true });
}

// A live page says when it hears nothing any more, and goes to the sign-in where its session is over.
const STALE_AFTER_MS = 12_000;
const live = document.getElementById("live");
if (live) {
  let heardAt = Date.now();
  const line = document.getElementById("as-of");
  const words = line.querySelector("span");
  const tell = (late) => {
    line.classList.toggle("late", late);
    if (late) line.setAttribute("role", "alert");
    else line.removeAttribute("role");
  };
  document.addEventListener("htmx:sse:after:message", (event) => { if (event.target === live) heardAt = Date.now(); });
  live.addEventListener("as-of", (event) => {
    const told = JSON.parse(event.detail.data);
    if (words.textContent !== told.text) words.textContent = told.text;
    tell(told.late);
  });
  document.addEventListener("htmx:sse:error", (event) => { if (event.detail.status === 401) location.reload(); });
  document.addEventListener("visibilitychange", () => { heardAt = Date.now(); });
  setInterval(() => {
    if (document.hidden || Date.now() - heardAt < STALE_AFTER_MS) return;
    tell(true);
    if (words.textContent !== line.dataset.stale) words.textContent = line.dataset.stale;
  }, 1000);
}
