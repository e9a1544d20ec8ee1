// Sends the one form that is only on its way through.

const form = document.querySelector("form[data-submit-now]");
if (form instanceof HTMLFormElement) {
  // A parameter may be called "submit" and hide the form's own method.
  HTMLFormElement.prototype.submit.call(form);
}
