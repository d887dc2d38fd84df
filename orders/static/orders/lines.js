"use strict";
// Adds a line to the form of a new order, with a product box of its own.
document.getElementById("add-line").addEventListener("click", () => {
  const total = document.getElementById("id_form-TOTAL_FORMS");
  const copy = document.getElementById("new-line").content.cloneNode(true);
  for (const field of copy.querySelectorAll("[name]")) {
    field.name = field.name.replace("__prefix__", total.value);
    field.id = field.id.replace("__prefix__", total.value);
  }
  const select = copy.querySelector("select");
  document.getElementById("lines").append(copy);
  total.value = Number(total.value) + 1;
  django.jQuery(select).djangoCustomSelect2();
});
