// The link of a citizen holds number and code behind the #: no server hears them before this form sends them.

function opened() {
  const form = document.querySelector("form[data-open]");
  const told = location.hash.slice(1);
  const dot = told.lastIndexOf(".");
  if (!form || dot < 1) return;
  history.replaceState(null, "", location.pathname); // so that the code stays in no list of visited pages
  form.elements.number.value = told.slice(0, dot);
  form.elements.code.value = told.slice(dot + 1);
  form.requestSubmit();
}

addEventListener("hashchange", opened);
opened();
