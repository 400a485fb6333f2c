// Runs before the first paint: the choice of brightness must not flash.
(function () {
  "use strict";
  var wish = null;
  try { wish = localStorage.getItem("changke-theme"); } catch { /* storage may be refused */ }
  var dark = wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
