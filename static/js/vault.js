// What the pages gain when scripts run; every page works without it.
(() => {
  "use strict";

  const say = (text) => {
    const box = document.getElementById("messages");
    if (!box) return;
    const message = document.createElement("p");
    message.className = "message error";
    message.textContent = text;
    box.replaceChildren(message);
    box.scrollIntoView({ block: "nearest" });
  };

  // Ctrl+K (or Command+K) goes to the search; Escape leaves it.
  document.addEventListener("keydown", (event) => {
    const search = document.querySelector("[data-shortcut]");
    if (!search) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === search.dataset.shortcut) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.blur();
    }
  });

  // A box in a table's head ticks every box of the page that belongs to its form.
  const showChoosers = () => document.querySelectorAll("[data-chooses]").forEach((box) => (box.hidden = false));
  document.addEventListener("change", (event) => {
    const form = event.target.dataset?.chooses;
    if (!form) return;
    document.querySelectorAll(`input[type=checkbox][form="${form}"]`).forEach((box) => (box.checked = event.target.checked));
  });
  document.addEventListener("htmx:afterSettle", showChoosers);
  showChoosers();

  // A second click on a form marked data-once sends nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-disabled", "true"));
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });

  // Exports follow the filters that htmx has put into the address.
  const follow = () => {
    document.querySelectorAll("a[data-follows-filters]").forEach((link) => {
      link.search = window.location.search;
    });
  };
  document.addEventListener("htmx:pushedIntoHistory", follow);
  document.addEventListener("htmx:replacedInHistory", follow);

  // An answer that is not the part that was asked for (signed out, another page) is shown whole.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const asked = new URL(requestConfig.path, window.location.href).pathname;
    const answered = xhr.responseURL ? new URL(xhr.responseURL).pathname : asked;
    if (xhr.status < 400 && answered !== asked) {
      event.detail.shouldSwap = false;
      window.location.assign(xhr.responseURL);
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    say(status === 403
      ? "You may not do this, or your session has ended. Reload the page and sign in again."
      : `The server answered ${status}; what you see is the last good state. Try again, and tell an operator if it stays.`);
  });
  document.addEventListener("htmx:sendError", () => {
    say("The server cannot be reached; what you see is the last good state. Check your connection and try again.");
  });
})();
