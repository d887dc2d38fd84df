// A form with data-working says that it works on it, and is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.working || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  const note = form.querySelector("[data-working-note]");
  note.querySelector("span").textContent = form.dataset.working;
  note.hidden = false;
});

// Back from the next page, it may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[data-working-note]").hidden = true;
  }
});
