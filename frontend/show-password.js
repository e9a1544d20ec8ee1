// A button that shows what was typed into a password field, and hides it again.

for (const button of document.querySelectorAll("button[data-shows]")) {
  const field = document.getElementById(button.getAttribute("data-shows") ?? "");
  if (field instanceof HTMLInputElement && button instanceof HTMLButtonElement) {
    connect(button, field);
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLInputElement} field
 */
function connect(button, field) {
  /** @param {boolean} visible */
  const show = (visible) => {
    field.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
  };
  button.addEventListener("click", () => show(field.type === "password"));
  // Browsers offer to save what was a password field when the form was sent.
  field.form?.addEventListener("submit", () => show(false));
  // A page that comes back from the cache starts hidden.
  addEventListener("pageshow", () => show(false));
  button.hidden = false;
}
