// The person's own choice, if there is one; else the system's, by `color-scheme: light dark`.
try {
  const mode = localStorage.getItem("counterfoil.mode");
  if (mode === "light" || mode === "dark") document.documentElement.dataset.mode = mode;
} catch (_) {}
