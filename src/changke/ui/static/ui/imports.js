// Bringing files: too large ones are told before they travel, and the way is shown while they do.
(function () {
  "use strict";
  const form = () => document.querySelector("form[data-bring]");
  const isTooBig = () => [...form().querySelector('input[type="file"]').files].some((file) => file.size > Number(form().dataset.most));

  document.addEventListener("change", (event) => {
    if (form() && event.target.type === "file") form().querySelector("[data-too-big]").hidden = !isTooBig();
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== form()) return;
    if (isTooBig()) { event.preventDefault(); return; }
    form().querySelector("[data-bringing]").hidden = false;
    form().querySelector('button[type="submit"]').disabled = true;
  });

  document.addEventListener("htmx:xhr:progress", (event) => {
    if (form() && event.detail.lengthComputable) form().querySelector("progress").value = (event.detail.loaded * 100) / event.detail.total;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (!form() || event.target !== form()) return;
    form().querySelector("[data-bringing]").hidden = true;
    form().querySelector('button[type="submit"]').disabled = false;
  });
})();
