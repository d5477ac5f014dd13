// Keys of the pages. A key does something only where nobody types, and only one that the page names itself.
const inField = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || inField(event.target)) return;
  const named = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
  if (!named || named.disabled) return;
  event.preventDefault();
  named.focus();
  named.click();
});
