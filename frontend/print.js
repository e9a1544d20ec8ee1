// A button that prints the page.

for (const button of document.querySelectorAll("button[data-prints]")) {
  if (button instanceof HTMLButtonElement) {
    button.addEventListener("click", () => print());
    button.hidden = false;
  }
}
