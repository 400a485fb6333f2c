// The frame: side bar, menus, dialogs, toasts, brightness. Everything is found by data attributes; no inline script.
(function () {
  "use strict";
  const root = document.documentElement;
  const side = () => document.getElementById("side");

  function openSide(isOpen) {
    if (!side()) return;
    document.body.classList.toggle("ck-side-open", isOpen);
    document.querySelectorAll('[data-side="open"]').forEach((button) => button.setAttribute("aria-expanded", isOpen));
    if (isOpen) side().querySelector("a, button").focus();
  }

  function chooseTheme(choice) {
    try { localStorage.setItem("changke-theme", choice); } catch { /* storage may be refused */ }
    const dark = choice === "dark" || (choice === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.classList.toggle("dark", dark);
    markTheme();
    document.dispatchEvent(new CustomEvent("changke:theme"));
  }

  function markTheme() {
    let choice = "auto";
    try { choice = localStorage.getItem("changke-theme") || "auto"; } catch { /* storage may be refused */ }
    document.querySelectorAll("[data-theme-choice]").forEach((button) => {
      button.setAttribute("aria-pressed", button.dataset.themeChoice === choice);
    });
  }

  function arm(toast) {
    if (toast.classList.contains("ck-toast-error")) return; // an error stays until it is read
    setTimeout(() => toast.remove(), 6000);
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-side], [data-theme-choice], [data-dialog], [data-close], [data-dismiss]");
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    if (!target) return;
    if (target.dataset.side) openSide(target.dataset.side === "open");
    else if (target.dataset.themeChoice) chooseTheme(target.dataset.themeChoice);
    else if (target.dataset.dialog) document.getElementById(target.dataset.dialog).showModal();
    else if ("close" in target.dataset) target.closest("dialog").close();
    else if ("dismiss" in target.dataset) target.closest("[data-toast]").remove();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details[data-menu][open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    openSide(false);
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-auto-submit]");
    if (form && event.target.type !== "search") form.requestSubmit();
  });

  // A page may answer an HTMX request with HX-Trigger: {"toast": "text"}.
  document.addEventListener("toast", (event) => {
    const toast = document.createElement("div");
    toast.className = "ck-toast";
    toast.textContent = event.detail.value;
    document.getElementById("toasts").append(toast);
    arm(toast);
  });

  document.addEventListener("DOMContentLoaded", () => {
    markTheme();
    document.querySelectorAll("[data-toast]").forEach(arm);
    document.querySelectorAll('nav a[aria-current="page"]').forEach((link) => link.scrollIntoView({ block: "nearest", inline: "nearest" }));
  });
})();
