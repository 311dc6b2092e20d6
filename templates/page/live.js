// Keeps an open page up to date, and adds buttons that copy commands. Without it the page works too.
"use strict";
(() => {
  const state = document.getElementById("live-state");
  const news = document.getElementById("news");
  const events = document.currentScript.dataset.events;
  let loading = false;
  let again = false;

  function addButtons(root) {
    if (!navigator.clipboard) return;
    for (const command of root.querySelectorAll(".command")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(command.querySelector("code").textContent);
          button.textContent = "Copied";
          news.textContent = "Copied";
        } catch {
          button.textContent = "Cannot copy: select it";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      command.append(button);
    }
  }

  // Where somebody types or has chosen something, nothing is taken away.
  function isBusy(live) {
    const selection = document.getSelection();
    const chosen = selection && !selection.isCollapsed && live.contains(selection.anchorNode);
    const active = document.activeElement;
    return chosen || (active && live.contains(active) && active.matches("input, select"));
  }

  function replace(text) {
    const live = document.getElementById("live");
    const next = new DOMParser().parseFromString(text, "text/html");
    const fresh = next.getElementById("live");
    if (!fresh || isBusy(live)) return;
    const focused = document.activeElement && live.contains(document.activeElement) ? document.activeElement : null;
    const link = focused && focused.getAttribute("href");
    const before = live.querySelector("[data-count]")?.dataset.count ?? "0";
    const after = fresh.querySelector("[data-count]")?.dataset.count ?? "0";
    live.replaceChildren(...fresh.childNodes);
    addButtons(live);
    state.textContent = next.getElementById("live-state")?.textContent + ", live";
    document.title = next.title;
    if (before !== after) news.textContent = after + " open";
    if (link) [...live.querySelectorAll("a")].find((one) => one.getAttribute("href") === link)?.focus();
  }

  async function load() {
    if (loading) { again = true; return; }
    loading = true;
    try {
      const response = await fetch(location.href, { headers: { accept: "text/html" } });
      if (response.ok) replace(await response.text());
      else state.textContent = "cannot be loaded (" + response.status + ")";
    } catch {
      state.textContent = "not connected: what is shown is old";
    }
    loading = false;
    if (again) { again = false; load(); }
  }

  addButtons(document);
  const source = new EventSource(events);
  source.addEventListener("turn", load);
  source.addEventListener("open", load);
  source.addEventListener("error", () => { state.textContent = "not connected: what is shown is old"; });
  addEventListener("pagehide", () => source.close());
})();
